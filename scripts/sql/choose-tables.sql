-- The tables that the user names, one a line, with or without a schema; and their partitions, which hold
-- the rows: each as SQL names it and as a table of contents does. What is no table comes back as unknown.
CREATE TEMPORARY TABLE chosen AS
SELECT given, coalesce(to_regclass(format('public.%I', given)), to_regclass('public.' || given), to_regclass(given)) AS oid
FROM unnest(string_to_array(rtrim(:'tables', E'\n'), E'\n')) AS given;
CREATE TEMPORARY TABLE filled AS
SELECT DISTINCT pg_class.oid, nspname, relname
FROM chosen, LATERAL (SELECT chosen.oid UNION SELECT relid FROM pg_partition_tree(chosen.oid)) AS tree (relid)
     JOIN pg_class ON pg_class.oid = relid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'r';
SELECT 'unknown ' || given FROM chosen LEFT JOIN pg_class USING (oid) WHERE relkind IS NULL OR relkind NOT IN ('r', 'p')
UNION ALL SELECT format('table %I.%I', nspname, relname) FROM filled
UNION ALL SELECT format('entry TABLE DATA %s %s ', nspname, relname) FROM filled;
