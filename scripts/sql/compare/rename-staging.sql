-- Renames staging to the compared database. Sessions that look into it end here; the rename waits
-- for others.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = :'staging' AND pg_has_role(usesysid, 'usage')
  AND (NOT rolsuper OR current_setting('is_superuser')::boolean)
\g /dev/null
SELECT format('ALTER DATABASE %I RENAME TO %I', :'staging', :'compared') \gexec
