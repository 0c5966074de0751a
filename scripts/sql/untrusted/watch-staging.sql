-- Ends the load of a staging database that exceeds a limit: its size (and the queue of
-- notifications, up to 8 GB), half of the server's locks, :seconds, or three times :limit in the
-- write-ahead log: rows, what an index build writes for them, and as much again for other programs.
-- Prints a line when it begins; ends when the restricted role may no longer log in. An error
-- in this check also ends the load: the role may have caused it, for example by revoking rights on
-- its database.
SELECT set_config('assets.staging', :'staging', false),
       set_config('assets.restricted_role', :'restricted_role', false),
       set_config('assets.limit', :'limit', false),
       set_config('assets.seconds', :'seconds', false)
\g /dev/null
SELECT 'watching';
DO $$
DECLARE
    staging oid := (SELECT oid FROM pg_database WHERE datname = current_setting('assets.staging'));
    most_bytes bigint := current_setting('assets.limit');
    most_locks bigint := current_setting('max_locks_per_transaction')::bigint
        * (current_setting('max_connections')::bigint
           + current_setting('max_prepared_transactions')::bigint) / 2;
    first_wal pg_lsn := pg_current_wal_insert_lsn();
    reason text;
BEGIN
    WHILE EXISTS (SELECT FROM pg_roles
                  WHERE rolname = current_setting('assets.restricted_role') AND rolcanlogin) LOOP
        PERFORM pg_stat_clear_snapshot();
        reason := CASE
            WHEN pg_database_size(staging) + pg_notification_queue_usage() * 8589934592
                 > most_bytes
            THEN 'too_large'
            WHEN (SELECT count(*) FROM pg_locks
                  WHERE database = staging -- locks of savepoints belong to no database
                     OR pid IN (SELECT pid FROM pg_stat_activity WHERE datid = staging))
                 > most_locks
            THEN 'too_many_locks'
            WHEN pg_current_wal_insert_lsn() - first_wal > 3 * most_bytes
            THEN 'too_much_wal'
            WHEN clock_timestamp()
                 > now() + make_interval(secs => current_setting('assets.seconds')::float)
            THEN 'too_long'
        END;
        -- Runs in every iteration, so that it is planned before the server may have no lock left
        -- for that.
        PERFORM pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE usename = current_setting('assets.restricted_role') AND reason IS NOT NULL;
        IF reason IS NOT NULL THEN
            RAISE '%', reason;
        END IF;
        PERFORM pg_sleep(0.2);
    END LOOP;
EXCEPTION WHEN OTHERS OR query_canceled THEN
    IF reason IS NULL THEN
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE usename = current_setting('assets.restricted_role');
    END IF;
    RAISE;
END
$$;
