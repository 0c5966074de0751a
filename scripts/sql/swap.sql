-- One statement, one transaction: the server carries it to its end, or not at all, whatever becomes of
-- the client. The first rename waits up to 5 s for the live database's sessions to go, and new ones
-- queue behind its lock; end-sessions.sql ends the old ones meanwhile.
SELECT set_config('assets.live', :'live', false), set_config('assets.staging', :'staging', false),
       set_config('assets.former', :'former', false), set_config('assets.lock_holder', :'lock_holder', false)
\g /dev/null
SET lock_timeout = '5s';
DO $$
DECLARE
    live text := current_setting('assets.live');
    former text := current_setting('assets.former');
    staging text := current_setting('assets.staging');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
                   AND pid = current_setting('assets.lock_holder')::int) THEN
        RAISE 'this run has lost its lock';
    END IF;
    IF EXISTS (SELECT FROM pg_database WHERE datname = live) THEN
        EXECUTE format('ALTER DATABASE %I RENAME TO %I', live, former);
    END IF;
    EXECUTE format('ALTER DATABASE %I RENAME TO %I', staging, live);
END
$$;
