-- The extensions of this database that a restore may not create again in staging, because they are
-- a superuser's. A managed server may allow its users more than it says here.
SELECT extname
FROM pg_extension JOIN pg_available_extensions ON name = extname
     JOIN pg_available_extension_versions USING (name), pg_roles
WHERE version = default_version AND superuser AND NOT trusted
  AND pg_extension.oid >= 16384 -- FirstNormalObjectId: plpgsql is in template0
  AND rolname = current_user AND NOT rolsuper
ORDER BY 1;
