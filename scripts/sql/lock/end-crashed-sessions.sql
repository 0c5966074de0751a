-- Ends the sessions of a crashed run, so that nothing that they started can happen later. Sets
-- :databases, those that it left, for drop-databases.sql and report-crashed-run.sql. Only the
-- holder of the lock does so: no other run is alive. On a standby there is nothing to remove: its
-- databases belong to runs on the primary server. Needs lock/may-end/.
SET ROLE NONE;
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE :'locked'::boolean AND NOT pg_is_in_recovery()
  AND application_name LIKE '%.sh ' || :'key' || ' %' AND pid <> pg_backend_pid() AND :may_end
\g /dev/null
RESET ROLE;
SELECT coalesce(string_agg(datname, E'\n' ORDER BY datname), '') AS databases,
       :'locked'::boolean AND NOT pg_is_in_recovery() AS may_clean_up
FROM pg_database
WHERE :'locked'::boolean AND NOT pg_is_in_recovery()
  AND (datname IN (:'staging', :'replaced', :'compared')
       OR datname = :'kept_copy' AND shobj_description(oid, 'pg_database') IS NULL) -- incomplete
\gset
