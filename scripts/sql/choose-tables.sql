-- The tables that the user names, one a line, with or without a schema; and their partitions, which hold
-- the rows: each as SQL names it and as a table of contents does. What is no table comes back as unknown.
CREATE TEMPORARY TABLE chosen AS
SELECT given, (SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE relkind IN ('r', 'p')
                 AND (given IN (format('%I.%I', nspname, relname), format('%s.%s', nspname, relname))
                      OR nspname = 'public' AND given IN (relname, quote_ident(relname)))
               LIMIT 1) AS oid
FROM unnest(string_to_array(:'tables', E'\n')) AS given;
CREATE TEMPORARY TABLE filled AS
SELECT DISTINCT pg_class.oid, nspname, relname
FROM chosen, LATERAL (SELECT chosen.oid UNION SELECT relid FROM pg_partition_tree(chosen.oid)) AS tree (relid)
     JOIN pg_class ON pg_class.oid = relid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r';
SELECT 'unknown ' || given FROM chosen WHERE oid IS NULL
UNION ALL SELECT format('table %I.%I', nspname, relname) FROM filled
UNION ALL SELECT format('entry TABLE DATA %s %s ', nspname, relname) FROM filled
UNION ALL SELECT 'partitioned ' || given FROM chosen JOIN pg_class USING (oid) WHERE relkind = 'p';
