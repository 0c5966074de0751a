-- The sessions in the live database that this user may not end: a swap waits for them, and fails if
-- they stay. What they do, and since when, is hidden from this user. :session_name is the name of
-- this run's own sessions, which end before the swap.
SELECT format('%s (user %s, process %s)',
              coalesce(nullif(application_name, ''), 'a client'), role.rolname, pid)
FROM pg_stat_activity JOIN pg_roles AS role ON role.oid = usesysid, pg_roles AS own
WHERE datname = :'live' AND application_name <> left(:'session_name', 63)
  AND own.rolname = current_user AND NOT own.rolsuper
  AND (role.rolsuper
       OR NOT (pg_has_role(role.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
ORDER BY role.rolsuper DESC, pid;
