-- The owner of the live database, if it is neither this user nor a superuser.
SELECT rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
WHERE datname = :'live' AND rolname <> current_user AND NOT rolsuper;
