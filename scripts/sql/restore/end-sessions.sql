-- Ends the sessions of a database that the swap has locked, and no others, until the swap is done
-- or has given up. If the swap does not begin within a second, or its session is gone, this ends: a
-- crashed run must not hold its lock for longer.
SELECT set_config('assets.live', :'live', false), set_config('assets.key', :'key', false)
\g /dev/null
SET ROLE NONE; -- the login user's rights count; see lock/may-end/
DO $$
DECLARE
    live oid := (SELECT oid FROM pg_database WHERE datname = current_setting('assets.live'));
BEGIN
    FOR attempt IN 1..600 LOOP
        EXIT WHEN NOT EXISTS (
            SELECT FROM pg_database
            WHERE oid = live AND datname = current_setting('assets.live'));
        PERFORM pg_stat_clear_snapshot();
        EXIT WHEN attempt > 100 AND NOT EXISTS (
            SELECT FROM pg_stat_activity
            WHERE application_name LIKE '%.sh ' || current_setting('assets.key') || ' %');
        BEGIN
            PERFORM pg_terminate_backend(activity.pid)
            FROM pg_stat_activity AS activity
            WHERE datid IN (
                SELECT objid FROM pg_locks
                WHERE locktype = 'object' AND classid = 'pg_database'::regclass
                  AND mode = 'AccessExclusiveLock' AND granted
                  AND pid IN (SELECT pid FROM pg_locks
                              WHERE objid = live AND mode = 'AccessExclusiveLock' AND granted));
        EXCEPTION WHEN insufficient_privilege THEN
            NULL; -- this user may not end it: the swap waits for it, and fails if it stays
        END;
        PERFORM pg_sleep(0.01);
    END LOOP;
END
$$;
RESET ROLE;
