-- Runs those lines of :statements that grant or revoke something, and prints the first error. A
-- grant to a role that does not exist here is worth a warning only.
SELECT set_config('assets.statements', :'statements', true),
       set_config('assets.failure', '', true)
\g /dev/null
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT line
        FROM unnest(string_to_array(current_setting('assets.statements'), E'\n')) AS line
        WHERE line ~ '^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .*;$'
    LOOP
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN OTHERS THEN
            PERFORM set_config('assets.failure', SQLERRM, true)
            WHERE current_setting('assets.failure') = '';
        END;
    END LOOP;
END
$$;
SELECT current_setting('assets.failure') WHERE current_setting('assets.failure') <> '';
