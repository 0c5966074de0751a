-- One statement, one transaction: the server completes it or undoes it, whatever happens to the
-- client. A rename waits up to 5 s for the database's sessions to end, and new ones queue behind
-- its lock; end-sessions.sql ends those that connect after the old ones end here and before that
-- lock. :renames are FROM:TO, done in this order; one whose database does not exist is skipped. The
-- comment of the previous database ends with the time at which it was kept. The commit does not
-- wait for a synchronous standby, for which clients would wait too.
SELECT set_config('assets.live', :'live', false),
       set_config('assets.staging', :'staging', false),
       set_config('assets.replaced', :'replaced', false),
       set_config('assets.previous', :'previous', false),
       set_config('assets.renames', :'renames', false),
       set_config('assets.lock_backend', :'lock_backend', false)
\g /dev/null
SET lock_timeout = '5s';
SET synchronous_commit = local;
DO $$
DECLARE
    rename text;
    old_name text;
    new_name text;
    comment text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
                   AND pid = current_setting('assets.lock_backend')::int) THEN
        RAISE 'this run has lost its lock';
    END IF;
    BEGIN
        PERFORM pg_terminate_backend(pid, 100)
        FROM pg_stat_activity
        WHERE datname IN (current_setting('assets.live'), current_setting('assets.staging'))
           OR datname = current_setting('assets.previous')
              AND current_setting('assets.renames') LIKE '%previous:%';
    EXCEPTION WHEN insufficient_privilege THEN
        NULL; -- the rename waits for that session, and fails if it stays
    END;
    FOREACH rename IN ARRAY string_to_array(current_setting('assets.renames'), ' ') LOOP
        old_name := current_setting('assets.' || split_part(rename, ':', 1));
        new_name := current_setting('assets.' || split_part(rename, ':', 2));
        IF EXISTS (SELECT FROM pg_database WHERE datname = old_name) THEN
            EXECUTE format('ALTER DATABASE %I RENAME TO %I', old_name, new_name);
            SELECT nullif(regexp_replace(shobj_description(oid, 'pg_database'),
                                         '\n?\[kept \d{4}-\d\d-\d\d \d\d:\d\d UTC\]$', ''), '')
            INTO comment
            FROM pg_database WHERE datname = new_name;
            IF split_part(rename, ':', 2) = 'previous' THEN
                comment := concat_ws(E'\n', comment, to_char(
                    now() AT TIME ZONE 'UTC', '"[kept "YYYY-MM-DD HH24:MI" UTC]"'));
            END IF;
            EXECUTE format('COMMENT ON DATABASE %I IS %L', new_name, comment);
        ELSIF split_part(rename, ':', 2) = 'live' THEN
            RAISE 'nothing to swap in: database "%" does not exist', old_name;
        END IF;
    END LOOP;
END
$$;
