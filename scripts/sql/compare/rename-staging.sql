-- Renames staging to the compared database. Sessions that look into it end here; the rename waits
-- for others. Needs lock/may-end/.
SET ROLE NONE;
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = :'staging' AND :may_end
\g /dev/null
RESET ROLE;
SELECT format('ALTER DATABASE %I RENAME TO %I', :'staging', :'compared') \gexec
