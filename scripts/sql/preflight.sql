-- Whether there can be a second copy: the right to make it, the folder it will lie in, and its size as
-- far as the live database tells.
SELECT (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user),
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),
       coalesce((SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'live'), 0),
       CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage') THEN current_setting('data_directory') ELSE '' END;
