-- Who keeps our sessions from a lock on the live database's tables: the session that holds or awaits a lock that
-- nobody can share; with :any_lock, the one that holds any. Asked when the wait is over, so that pg_blocking_pids
-- has no waiting session to tell about.
SELECT format('%s (user %s, process %s; %s since %s UTC)',
              coalesce(nullif(application_name, ''), backend_type, 'a client'), coalesce(usename, '?'), pid,
              coalesce(state, 'running'), to_char(coalesce(xact_start, backend_start) AT TIME ZONE 'UTC', 'HH24:MI:SS'))
FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'relation' AND database = (SELECT oid FROM pg_database WHERE datname = :'live') AND relation >= 16384
  AND (mode = 'AccessExclusiveLock' OR :'any_lock' AND granted)
  AND application_name NOT LIKE '%.sh ' || :'key' || ' %'
ORDER BY mode = 'AccessExclusiveLock' DESC, granted DESC, coalesce(xact_start, backend_start)
LIMIT 1;
