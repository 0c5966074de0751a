-- Every table outside the system's own schemas: exact rows, bytes with indexes and TOAST, share of
-- the database in percent. A partitioned table includes its partitions.
SELECT format('%s%I', CASE WHEN nspname = 'public' THEN '' ELSE quote_ident(nspname) || '.' END,
              relname) AS "table",
       CASE WHEN relispopulated
            THEN (regexp_match(
                     query_to_xml(format('SELECT count(*) AS n FROM %I.%I', nspname, relname),
                                  false, true, '')::text,
                     '<n>(\d+)</n>'))[1]::bigint
            ELSE 0 END AS rows,
       bytes,
       pg_size_pretty(bytes) AS size,
       round(100.0 * bytes / pg_database_size(current_database()), 1) AS share
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
     LATERAL (SELECT sum(pg_total_relation_size(relid))::bigint AS bytes
              FROM (SELECT pg_class.oid AS relid
                    UNION SELECT relid FROM pg_partition_tree(pg_class.oid)) AS parts) AS size
WHERE relkind IN ('r', 'p', 'm') AND NOT relispartition
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
ORDER BY bytes DESC, 1;
