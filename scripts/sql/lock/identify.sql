-- What a run must know of the server, and the names of its temporary databases and role there.
-- The key is the server's and the database's own: no two live databases share a staging database.
-- Where this user may not ask for the server's identifier, it is the database's only.
-- A timeout of the server must not end the session that holds the lock. The scripts read the
-- server's messages, in English.
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout'
\g /dev/null
SELECT set_config('lc_messages', 'C', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
SELECT '' AS identifier, has_function_privilege('pg_control_system()', 'execute') AS may_ask \gset
\if :may_ask
    SELECT system_identifier AS identifier FROM pg_control_system() \gset
\endif
SELECT substr(md5(:'identifier' || '/' || :'live'), 1, 12) AS key \gset
SELECT 'assets_staging_' || :'key' AS staging, 'assets_replaced_' || :'key' AS replaced,
       'assets_compared_' || :'key' AS compared,
       'assets_previous_' || :'key' AS previous, 'assets_copy_' || :'key' AS kept_copy,
       'assets_restricted_' || :'key' AS restricted_role,
       hashtextextended('tumblebug-assets/' || :'live', 0) AS lock_key \gset
SELECT current_setting('server_version_num'), current_setting('server_version'), :'key',
       pg_backend_pid(), rolsuper, pg_is_in_recovery(), current_setting('lc_messages')
FROM pg_roles WHERE rolname = current_user;
