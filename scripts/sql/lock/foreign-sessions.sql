-- The sessions in the live database that this user may not end: a swap waits for them, and fails if
-- they stay. What they do, and since when, is hidden from this user. :session_name is the name of
-- this run's own sessions, which end before the swap. Needs lock/may-end/.
SET ROLE NONE;
SELECT format('%s (user %s, process %s)',
              coalesce(nullif(application_name, ''), 'a client'), rolname, pid)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = :'live' AND application_name <> left(:'session_name', 63) AND NOT :may_end
ORDER BY rolsuper DESC, pid;
RESET ROLE;
