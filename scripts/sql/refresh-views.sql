-- Materialized views hold what the rows that came make of them; in the order in which they were created.
SELECT format('REFRESH MATERIALIZED VIEW %s', oid::regclass) FROM pg_class
WHERE relkind = 'm' AND relnamespace <> 'pg_catalog'::regnamespace ORDER BY oid
\gexec
