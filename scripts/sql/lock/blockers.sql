-- Which session keeps this run from locking the live database's tables: one that holds or waits for
-- an exclusive lock; with :any_lock, also one that holds any lock. This runs after the wait, when
-- pg_blocking_pids() has no waiting session to report on.
SELECT format('%s (user %s, process %s; %s%s)',
              coalesce(nullif(application_name, ''), backend_type, 'a client'),
              coalesce(usename, '?'), pid, coalesce(state, 'running'),
              to_char(coalesce(xact_start, backend_start) AT TIME ZONE 'UTC', -- may be hidden
                      '" since "HH24:MI:SS" UTC"'))
FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'relation' AND relation >= 16384
  AND database = (SELECT oid FROM pg_database WHERE datname = :'live')
  AND (mode = 'AccessExclusiveLock' OR :'any_lock' AND granted)
  AND application_name NOT LIKE '%.sh ' || :'key' || ' %'
ORDER BY mode = 'AccessExclusiveLock' DESC, granted DESC, coalesce(xact_start, backend_start)
LIMIT 1;
