-- Refreshes each materialized view that has been filled, in the order of their creation. A view
-- that could not be refreshed raises a warning; the others are still refreshed.
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
