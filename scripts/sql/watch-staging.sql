-- Ends the load of a staging database that outgrows its limit; ends itself when the loader may no longer log in.
SELECT set_config('assets.staging', :'staging', false), set_config('assets.loader', :'loader', false),
       set_config('assets.limit', :'limit', false)
\g /dev/null
DO $$
BEGIN
    WHILE EXISTS (SELECT FROM pg_roles WHERE rolname = current_setting('assets.loader') AND rolcanlogin) LOOP
        IF pg_database_size(current_setting('assets.staging')) > current_setting('assets.limit')::bigint THEN
            PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_setting('assets.staging');
            RAISE 'outgrown';
        END IF;
        PERFORM pg_sleep(0.2);
    END LOOP;
END
$$;
