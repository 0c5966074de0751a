-- One statement, one transaction: the server carries it to its end, or not at all, whatever becomes of
-- the client. A rename waits up to 5 s, looking every 0.1 s, for the database's sessions to go, and new ones
-- queue behind its lock; end-sessions.sql ends those that come between the end of the old ones here and that
-- lock. Renames are FROM:TO, done in their order; one whose database is not there is left out.
SELECT set_config('assets.live', :'live', false), set_config('assets.staging', :'staging', false),
       set_config('assets.former', :'former', false), set_config('assets.previous', :'previous', false),
       set_config('assets.renames', :'renames', false), set_config('assets.lock_holder', :'lock_holder', false)
\g /dev/null
SET lock_timeout = '5s';
DO $$
DECLARE
    rename text;
    old_name text;
    new_name text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
                   AND pid = current_setting('assets.lock_holder')::int) THEN
        RAISE 'this run has lost its lock';
    END IF;
    BEGIN
        PERFORM pg_terminate_backend(pid, 100) FROM pg_stat_activity WHERE datname = current_setting('assets.live');
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- the rename waits for that session, and says so when it stays
    END;
    FOREACH rename IN ARRAY string_to_array(current_setting('assets.renames'), ' ') LOOP
        old_name := current_setting('assets.' || split_part(rename, ':', 1));
        new_name := current_setting('assets.' || split_part(rename, ':', 2));
        IF EXISTS (SELECT FROM pg_database WHERE datname = old_name) THEN
            EXECUTE format('ALTER DATABASE %I RENAME TO %I', old_name, new_name);
        END IF;
    END LOOP;
END
$$;
