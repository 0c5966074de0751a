-- The names in :ignored that are no column's, one a line, without those of the default.
SELECT DISTINCT name
FROM regexp_split_to_table(:'ignored', '[ ,]+') AS name
WHERE name NOT IN ('', 'none', 'uid', 'fetched_time')
  AND NOT EXISTS (
      SELECT FROM pg_attribute
                  JOIN pg_class ON pg_class.oid = attrelid
                  JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE attname = name AND attnum > 0 AND relkind IN ('r', 'p')
        AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\_%')
ORDER BY 1;
