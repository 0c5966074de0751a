-- The extensions of this database that this user may not create in staging, because only a
-- superuser may. A managed server may allow more than its catalog says.
SELECT extname
FROM pg_extension JOIN pg_available_extensions ON name = extname
     JOIN pg_available_extension_versions USING (name), pg_roles
WHERE version = default_version AND superuser AND NOT trusted
  AND pg_extension.oid >= 16384 -- FirstNormalObjectId: plpgsql is in template0
  AND rolname = current_user AND NOT rolsuper
ORDER BY 1;
