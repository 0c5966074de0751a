-- Finds what a crashed run left on the server, for drop-databases.sql and report-crashed-run.sql.
-- Only the holder of the lock does so: no other run is alive. The crashed run's sessions end first,
-- so that nothing that they started can happen later. On a standby there is nothing to remove: its
-- databases belong to runs on the primary server.
SELECT :'locked'::boolean AND NOT pg_is_in_recovery() AS may_clean_up, '' AS databases \gset
\if :may_clean_up
    SET ROLE NONE; -- see end-backend.sql
    SELECT pg_terminate_backend(pid, 5000)
    FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
    WHERE application_name LIKE '%.sh ' || :'key' || ' %' AND pid <> pg_backend_pid()
      AND (NOT rolsuper OR current_setting('is_superuser')::boolean)
      AND (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE'))
    \g /dev/null
    RESET ROLE;
    SELECT coalesce(string_agg(datname, E'\n' ORDER BY datname), '') AS databases
    FROM pg_database
    WHERE datname IN (:'staging', :'replaced', :'compared')
       OR datname = :'kept_copy' AND shobj_description(oid, 'pg_database') IS NULL -- incomplete
    \gset
\endif
\set ON_ERROR_STOP off
