-- Refreshes each materialized view that has been filled, in the order of their creation. One that
-- could not be refreshed is a warning of the server.
DO $$
DECLARE
    view regclass;
BEGIN
    FOR view IN
        SELECT oid FROM pg_class
        WHERE relkind = 'm' AND relispopulated AND relnamespace <> 'pg_catalog'::regnamespace
        ORDER BY oid
    LOOP
        BEGIN
            EXECUTE format('REFRESH MATERIALIZED VIEW %s', view);
        EXCEPTION WHEN OTHERS THEN
            RAISE WARNING 'could not refresh %: %', view, SQLERRM;
        END;
    END LOOP;
END
$$;
