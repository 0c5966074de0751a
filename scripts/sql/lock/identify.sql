-- What a run must know of the server, and the names of the live database's companions on it.
-- The key is the server's and the database's own: no two databases share a staging database or a folder.
SELECT substr(md5(system_identifier || '/' || :'live'), 1, 12) AS key FROM pg_control_system() \gset
SELECT 'assets_staging_' || :'key' AS staging, 'assets_former_' || :'key' AS former, 'assets_previous_' || :'key' AS previous,
       'assets_loader_' || :'key' AS loader,
       hashtextextended('tumblebug-assets/' || :'live', 0) AS lock_key \gset
SELECT current_setting('server_version_num'), current_setting('server_version'), :'key', pg_backend_pid(), rolsuper
FROM pg_roles WHERE rolname = current_user;
