-- An expression on a row of pg_class: do this table's rows belong to other partitions in another
-- database? They do if a table is partitioned by the hash of an enum, which every database computes
-- differently. Such a table is compared and filled as a whole; pg_dump does so too.
EXISTS (
    SELECT FROM pg_partitioned_table JOIN pg_opclass ON pg_opclass.oid = ANY (partclass)
    WHERE partstrat = 'h' AND opcintype = 'anyenum'::regtype
      AND partrelid IN (SELECT relid FROM pg_partition_ancestors(pg_class.oid)
                        UNION SELECT relid FROM pg_partition_tree(pg_class.oid)))
