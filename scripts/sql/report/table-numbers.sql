-- The tables are locked before the snapshot of the next statement is taken, in which their rows are
-- counted: a TRUNCATE that commits in between would leave them empty in it.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
DO $$
DECLARE
    tables text := (
        SELECT string_agg(format('%I.%I', nspname, relname), ', ' ORDER BY pg_class.oid)
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE relkind IN ('r', 'p') AND NOT relispartition
          AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema');
BEGIN
    IF tables IS NOT NULL THEN
        EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS SHARE MODE';
    END IF;
END
$$;
-- The start of a WITH clause: the rows and bytes of every table outside the system's own schemas,
-- of all of them, and of the whole database. The bytes include indexes and TOAST. A partitioned
-- table includes its partitions, but no other table includes those that inherit from it.
-- assets.counted may have lines of a manifest: these tables are not counted again.
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
                             query_to_xml(format('SELECT count(*) AS n FROM %s %I.%I',
                                                 CASE relkind WHEN 'r' THEN 'ONLY' ELSE '' END,
                                                 nspname, relname), false, true, '')::text,
                             '<n>(\d+)</n>'))[1]::bigint)
                ELSE 0 END AS rows,
           bytes
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         LEFT JOIN counted ON counted.name = format('%I.%I', nspname, relname) AND relkind = 'r',
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
)
