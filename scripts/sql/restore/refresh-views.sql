-- Materialized views hold what the rows that came make of them; in the order in which they were created.
-- Event triggers rest where this user may let them.
SELECT set_config('session_replication_role', 'replica', false) FROM pg_roles WHERE rolname = current_user AND rolsuper \g /dev/null
SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass) FROM pg_class
WHERE relkind = 'm' AND relnamespace <> 'pg_catalog'::regnamespace ORDER BY oid
\gexec
