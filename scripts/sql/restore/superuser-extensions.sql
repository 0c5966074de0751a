-- The extensions that this user may not create, because only a superuser may: 'live NAME' if this
-- database has it, else 'absent NAME'. A managed server may allow more than its catalog says.
SELECT CASE WHEN pg_extension.oid IS NULL THEN 'absent ' ELSE 'live ' END || name
FROM pg_roles, pg_available_extensions JOIN pg_available_extension_versions USING (name)
     LEFT JOIN pg_extension ON extname = name
WHERE version = default_version AND superuser AND NOT trusted
  AND coalesce(pg_extension.oid >= 16384, true) -- FirstNormalObjectId: plpgsql is in template0
  AND rolname = current_user AND NOT rolsuper
ORDER BY 1;
