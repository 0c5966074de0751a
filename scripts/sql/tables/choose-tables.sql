-- The tables that the user names, one a line, with or without a schema; and their partitions, which hold
-- the rows: each as SQL names it and as a table of contents does. What is no table comes back as unknown.
-- Partitions whose rows move are filled by way of the whole table (see fingerprints.sql), and only with it.
CREATE TEMPORARY TABLE chosen AS
SELECT given, (SELECT pg_class.oid FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE relkind IN ('r', 'p')
                 AND (given IN (format('%I.%I', nspname, relname), format('%s.%s', nspname, relname))
                      OR nspname = 'public' AND given IN (relname, quote_ident(relname)))
               LIMIT 1) AS oid
FROM unnest(string_to_array(:'tables', E'\n')) AS given;
CREATE TEMPORARY TABLE family AS
SELECT DISTINCT pg_class.oid, nspname, relname, relkind, relispartition, moves
FROM chosen, LATERAL (SELECT chosen.oid UNION SELECT relid FROM pg_partition_tree(chosen.oid)) AS tree (relid)
     JOIN pg_class ON pg_class.oid = relid JOIN pg_namespace ON pg_namespace.oid = relnamespace,
     LATERAL (SELECT EXISTS (
                  SELECT FROM pg_partitioned_table JOIN pg_opclass ON pg_opclass.oid = ANY (partclass)
                  WHERE partstrat = 'h' AND opcintype = 'anyenum'::regtype
                    AND partrelid IN (SELECT relid FROM pg_partition_ancestors(pg_class.oid)
                                      UNION SELECT relid FROM pg_partition_tree(pg_class.oid))) AS moves) AS moves
WHERE relkind IN ('r', 'p');
CREATE TEMPORARY TABLE filled AS SELECT oid, nspname, relname FROM family WHERE relkind = 'r';
CREATE TEMPORARY TABLE copied AS SELECT oid, nspname, relname, relkind FROM family
WHERE CASE relkind WHEN 'r' THEN NOT moves ELSE moves AND NOT relispartition END;
SELECT 'unknown ' || given FROM chosen WHERE oid IS NULL
UNION ALL SELECT 'whole ' || pg_partition_root(oid)::regclass FROM chosen JOIN family USING (oid) WHERE moves AND relispartition
UNION ALL SELECT format('table %I.%I', nspname, relname) FROM copied
UNION ALL SELECT format('entry TABLE DATA %s %s ', nspname, relname) FROM filled
UNION ALL SELECT 'partitioned ' || given FROM chosen JOIN pg_class USING (oid) WHERE relkind = 'p';
