-- The planner's statistics of a new database. Large tables get a small sample: with a list of
-- columns, ANALYZE does not reset the count of changed rows, so that autovacuum soon takes the full
-- sample. Where autovacuum is off, for small tables, and with :full_sample, the sample is full.
SELECT format('SET default_statistics_target = %s; ANALYZE %I.%I %s',
              CASE WHEN later THEN '10' ELSE 'DEFAULT' END, nspname, relname,
              CASE WHEN later THEN format('(%s)', columns) END)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
     LATERAL (SELECT relkind <> 'p' AND pg_relation_size(pg_class.oid) > 1000000
                     AND NOT :'full_sample'
                     AND current_setting('autovacuum')::bool
                     AND current_setting('track_counts')::bool
                     AND NOT coalesce(reloptions::text LIKE '%autovacuum_enabled%', false)
              AS later) AS later,
     LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
              FROM pg_attribute
              WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped) AS columns
WHERE relkind IN ('r', 'p', 'm') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND (relkind <> 'm' OR relispopulated)
ORDER BY relpages DESC
\gexec
