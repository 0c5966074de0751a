-- The planner's estimates of the rows of each table, for the helper's progress line.
SELECT format('%I.%I', nspname, relname) AS table_name, greatest(reltuples, 0)::bigint AS rows
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema';
