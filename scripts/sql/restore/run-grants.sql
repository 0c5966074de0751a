-- Runs those lines of :statements that grant or revoke something, and prints the first error that
-- only skips its line: a role that does not exist here, or a missing right. A statement of several
-- lines, in which a name contains a line break, is skipped too.
SELECT set_config('assets.statements', :'statements', false),
       set_config('assets.failure', '', false)
\g /dev/null
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT line
        FROM unnest(string_to_array(current_setting('assets.statements'), E'\n')) AS line
        WHERE line ~ '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES|RESET SESSION|SET SESSION AUTH)'
    LOOP
        BEGIN
            IF statement NOT LIKE '%;' THEN
                RAISE undefined_object USING MESSAGE = 'a name contains a line break';
            END IF;
            EXECUTE statement;
        EXCEPTION WHEN undefined_object OR insufficient_privilege THEN
            PERFORM set_config('assets.failure', SQLERRM, false)
            WHERE current_setting('assets.failure') = '';
        END;
    END LOOP;
END
$$;
SELECT current_setting('assets.failure') WHERE current_setting('assets.failure') <> '';
