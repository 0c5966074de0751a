-- The start of a WITH clause: every column of every table, with the line that names it in a list of
-- what to compare, and those of its table and its table's primary key. A partitioned table includes
-- its partitions. Names with control characters are written as JSON.
    relations AS (
        SELECT oid, source, printed_name AS name,
               ARRAY(SELECT attname::text
                     FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS key (number, place)
                          JOIN pg_attribute ON attnum = number
                     WHERE conrelid = user_tables.oid AND contype = 'p' AND attrelid = conrelid
                     ORDER BY place) AS key,
               ARRAY(SELECT :column_text
                     FROM pg_constraint, unnest(conkey) WITH ORDINALITY AS key (number, place)
                          JOIN pg_attribute ON attnum = number
                     WHERE conrelid = user_tables.oid AND contype = 'p' AND attrelid = conrelid
                     ORDER BY place) AS key_texts
        FROM :user_tables AS user_tables
        WHERE NOT relispartition
    ),
    fields AS (
        SELECT relations.*, attname::text AS field, atttypid, :column_text AS field_text,
               'table' || E'\t' || name AS table_line,
               'column' || E'\t' || name || E'\t'
               || CASE WHEN attname ~ '[[:cntrl:]\\]' THEN to_json(attname)::text
                       ELSE quote_ident(attname) END AS column_line,
               'key' || E'\t' || name || E'\t' || to_json(key) AS key_line
        FROM relations LEFT JOIN pg_attribute
             ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped
    )
