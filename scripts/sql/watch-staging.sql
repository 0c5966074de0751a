-- Ends the load of a staging database that outgrows its limit or lasts too long; ends itself when the loader may no
-- longer log in.
SELECT set_config('assets.staging', :'staging', false), set_config('assets.loader', :'loader', false),
       set_config('assets.limit', :'limit', false)
\g /dev/null
DO $$
DECLARE
    reason text;
BEGIN
    WHILE EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('assets.loader') AND rolcanlogin) LOOP
        reason := CASE
            WHEN pg_database_size(current_setting('assets.staging')) > current_setting('assets.limit')::bigint THEN 'outgrown'
            WHEN clock_timestamp() > now() + interval '1 hour' THEN 'outlasted'
        END;
        IF reason IS NOT NULL THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_setting('assets.staging');
            RAISE '%', reason;
        END IF;
        PERFORM pg_sleep(0.2);
    END LOOP;
END
$$;
