-- Every table outside the system's own schemas, as text: exact rows, size with indexes and TOAST,
-- share of the database, and a bar for that share. The heading comes first, the totals and the
-- whole database, with the system's own tables, come last. Numbers are padded, so that they are
-- right-aligned however the columns are printed.
-- A partitioned table includes its partitions. assets.counted may have lines of a manifest: these
-- tables are not counted again.
WITH counted AS (
    SELECT split_part(line, ' ', 1)::bigint AS rows, regexp_replace(line, '^\S+ \S+ ', '') AS name
    FROM string_to_table(nullif(current_setting('assets.counted', true), ''), E'\n') AS line
),
tables AS (
    SELECT format('%s%I', CASE WHEN nspname = 'public' THEN ''
                               ELSE quote_ident(nspname) || '.' END, relname) AS name,
           CASE WHEN relispopulated
                THEN coalesce(
                         counted.rows,
                         (regexp_match(
                             query_to_xml(format('SELECT count(*) AS n FROM %I.%I',
                                                 nspname, relname), false, true, '')::text,
                             '<n>(\d+)</n>'))[1]::bigint)
                ELSE 0 END AS rows,
           bytes
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         LEFT JOIN counted ON counted.name = format('%I.%I', nspname, relname)
                              AND relkind = 'r' AND NOT relhassubclass,
         LATERAL (SELECT sum(pg_total_relation_size(relid)) AS bytes
                  FROM (SELECT pg_class.oid AS relid
                        UNION SELECT relid FROM pg_partition_tree(pg_class.oid)) AS parts) AS size
    WHERE relkind IN ('r', 'p', 'm') AND NOT relispartition
      AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
),
numbers AS (
    SELECT 'table' AS kind, name, rows, bytes
    FROM tables
    UNION ALL
    SELECT 'total', count(*) || CASE count(*) WHEN 1 THEN ' table' ELSE ' tables' END,
           coalesce(sum(rows), 0), coalesce(sum(bytes), 0)
    FROM tables
    UNION ALL
    SELECT 'whole', 'database', NULL, pg_database_size(current_database())
),
texts AS (
    SELECT kind, name, bytes, coalesce(to_char(rows, 'FM999,999,999,999,990'), '') AS rows,
           to_char(scaled, CASE WHEN scaled < 99.95 AND unit <> 'B' THEN 'FM990.0 '
                                ELSE 'FM999990 ' END) || unit AS size,
           to_char(share, 'FM990.0') || '%' AS share,
           CASE kind
                WHEN 'table' THEN
                    repeat(chr(CASE getdatabaseencoding() WHEN 'UTF8' THEN 9608 ELSE 35 END), -- █ #
                           greatest(round(share / 5), ceil(share / 100))::int)
                ELSE '' END AS bar
    FROM numbers,
         LATERAL (SELECT 100.0 * bytes / pg_database_size(current_database()) AS share) AS share,
         LATERAL (SELECT bytes / factor AS scaled, unit
                  FROM (VALUES (1, 'B'), (1e3, 'kB'), (1e6, 'MB'), (1e9, 'GB'), (1e12, 'TB'))
                       AS units (factor, unit)
                  WHERE bytes >= factor * 0.9995 OR factor = 1
                  ORDER BY factor DESC
                  LIMIT 1) AS size
    UNION ALL
    SELECT 'heading', 'table', NULL, 'rows', 'size', 'share', ''
)
SELECT name, lpad(rows, max(length(rows)) OVER () + 1) AS rows,
       lpad(size, max(length(size)) OVER () + 1) AS size,
       lpad(share, max(length(share)) OVER () + 1) AS share, ' ' || bar AS bar
FROM texts
ORDER BY array_position(ARRAY['heading', 'table', 'total', 'whole'], kind), bytes DESC, name;
