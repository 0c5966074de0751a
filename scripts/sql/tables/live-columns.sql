-- As copied.awk prints them for an archive: every column that a row brings, and whether it must. Partitions whose rows move
-- count with their whole table (see fingerprints.sql).
SELECT format('column %I.%I %I', nspname, relname, attname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid,
     LATERAL (SELECT EXISTS (
                  SELECT FROM pg_partitioned_table JOIN pg_opclass ON pg_opclass.oid = ANY (partclass)
                  WHERE partstrat = 'h' AND opcintype = 'anyenum'::regtype
                    AND partrelid IN (SELECT relid FROM pg_partition_ancestors(pg_class.oid)
                                      UNION SELECT relid FROM pg_partition_tree(pg_class.oid))) AS moves) AS moves
WHERE CASE relkind WHEN 'r' THEN NOT moves WHEN 'p' THEN moves AND NOT relispartition END
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY 1;
