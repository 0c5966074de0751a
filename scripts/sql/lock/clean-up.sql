-- Removes what a crashed run left on the server. Only the holder of the lock does so: no other run
-- is alive. The crashed run's sessions end first, so that nothing that they started can happen
-- later. Prints 'removed NAME' for each database, or 'kept NAME' if it could not be dropped. On a
-- standby there is nothing to remove: its databases belong to runs on the primary server.
SELECT :'locked'::boolean AND NOT pg_is_in_recovery() AS may_clean_up \gset
\if :may_clean_up
    SELECT pg_terminate_backend(pid, 5000)
    FROM pg_stat_activity
    WHERE application_name LIKE '%.sh ' || :'key' || ' %' AND pid <> pg_backend_pid()
    \g /dev/null
    SELECT coalesce(string_agg(datname, E'\n' ORDER BY datname), '') AS temporary_databases
    FROM pg_database
    WHERE datname IN (:'staging', :'replaced', :'compared')
       OR datname = :'kept_copy' AND shobj_description(oid, 'pg_database') IS NULL -- incomplete
    \gset
    \set ON_ERROR_STOP off
    SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
           format('DROP DATABASE %I WITH (FORCE)', datname)
    FROM pg_database
    WHERE datname = ANY (string_to_array(:'temporary_databases', E'\n'))
    ORDER BY datname
    \gexec
    SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'restricted_role'
    \gexec
    SELECT CASE WHEN datname IS NULL THEN 'removed ' ELSE 'kept ' END || name
    FROM unnest(string_to_array(:'temporary_databases', E'\n')) AS name
         LEFT JOIN pg_database ON datname = name;
    \set ON_ERROR_STOP on
\endif
