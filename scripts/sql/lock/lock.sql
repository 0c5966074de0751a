-- Takes the lock and prints 'locked'; or waits a moment, in which a crashed run's session may end,
-- and prints who has the lock, or nothing if nobody has it any more.
SELECT pg_try_advisory_lock(:'lock_key'::bigint) AS locked \gset
\if :locked
    \echo locked
\else
    SELECT pg_sleep(0.4) \g /dev/null
    SELECT concat(coalesce(nullif(activity.application_name, ''), 'of another user'),
                  to_char(activity.backend_start AT TIME ZONE 'UTC', -- hidden from some users
                          '", since "YYYY-MM-DD HH24:MI:SS" UTC"'))
    FROM pg_locks AS lock JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (lock.classid::bigint << 32) | lock.objid::bigint = :'lock_key'::bigint;
\endif
