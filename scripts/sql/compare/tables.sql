-- Sets :compared, the start of a WITH clause: every column of every table, with the line that names
-- it in a list of what to compare, and those of its table and its table's primary key. A
-- partitioned table includes its partitions. Names with control characters are written as JSON.
SELECT $$
    relations AS (
        SELECT pg_class.oid, plain,
               CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || plain AS source,
               CASE WHEN plain ~ '[[:cntrl:]\\]' THEN to_json(plain)::text ELSE plain END AS name,
               ARRAY(SELECT attname::text
                     FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS key (number, place)
                          JOIN pg_attribute ON attnum = number
                     WHERE conrelid = pg_class.oid AND contype = 'p' AND attrelid = conrelid
                     ORDER BY place) AS key
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
             format('%I.%I', nspname, relname) AS plain
        WHERE relkind IN ('r', 'p') AND NOT relispartition
          AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                            AND deptype = 'e')
    ),
    fields AS (
        SELECT relations.*, attname::text AS field, atttypid,
               'table' || E'\t' || name AS table_line,
               'column' || E'\t' || name || E'\t'
               || CASE WHEN attname ~ '[[:cntrl:]\\]' THEN to_json(attname)::text
                       ELSE quote_ident(attname) END AS column_line,
               'key' || E'\t' || name || E'\t' || to_json(key) AS key_line
        FROM relations LEFT JOIN pg_attribute
             ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
    )
$$ AS compared \gset
