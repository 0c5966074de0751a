-- Sets :rows_move, an expression on a row of pg_class: do this table's rows belong to other
-- partitions in another database? They do if a table is partitioned by the hash of an enum, which
-- every database computes differently. Such a table is compared and filled as a whole; pg_dump does
-- so too.
SELECT $$EXISTS (
    SELECT FROM pg_partitioned_table JOIN pg_opclass ON pg_opclass.oid = ANY (partclass)
    WHERE partstrat = 'h' AND opcintype = 'anyenum'::regtype
      AND partrelid IN (SELECT relid FROM pg_partition_ancestors(pg_class.oid)
                        UNION SELECT relid FROM pg_partition_tree(pg_class.oid)))$$
    AS rows_move \gset
-- Sets :is_filled, the same for a table or a partition: are its own rows compared, counted and
-- filled? Of a table whose rows move, those of the whole are.
SELECT format($$CASE relkind WHEN 'r' THEN NOT %1$s ELSE %1$s AND NOT relispartition END$$,
              :'rows_move') AS is_filled \gset
-- Sets :user_tables, a query for all tables except the system's and those of extensions. The source
-- is the table as FROM takes it. A printed name takes one line.
SELECT $$(
    SELECT pg_class.oid, nspname, relname, relkind, relispartition, name,
           CASE WHEN name ~ '[[:cntrl:]\\]' THEN to_json(name)::text ELSE name END AS printed_name,
           CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || name AS source,
           $$ || :'is_filled' || $$ AS is_filled
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
         format('%I.%I', nspname, relname) AS name
    WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                        AND deptype = 'e'))$$ AS user_tables \gset
