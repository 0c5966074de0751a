-- Refreshes materialized views in the order of their creation. Event triggers do not fire if this
-- user may disable them.
SELECT set_config('session_replication_role', 'replica', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass)
FROM pg_class
WHERE relkind = 'm' AND relnamespace <> 'pg_catalog'::regnamespace
ORDER BY oid
\gexec
