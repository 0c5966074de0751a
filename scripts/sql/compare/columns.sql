-- What there is to compare, one a line: each table, its columns, and its primary key. Without the
-- columns :ignored and keys that contain one, and without :unfilled, lines 'TABLE COLUMN' of what
-- no row of the backup fills; a table of only such columns is not in it. Needs compare/compared/.
WITH :compared,
filled AS (
    SELECT *
    FROM fields
    WHERE NOT EXISTS (
        SELECT FROM (SELECT fields.oid UNION SELECT relid FROM pg_partition_tree(fields.oid))
                    AS parts (part)
                    JOIN pg_class ON pg_class.oid = part
                    JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE format('%I.%I ', nspname, relname) || quote_ident(field)
              = ANY (string_to_array(:'unfilled', E'\n')))
)
SELECT table_line FROM filled
UNION
SELECT column_line FROM filled WHERE field <> ALL (regexp_split_to_array(:'ignored', '[ ,]+'))
UNION
SELECT key_line FROM filled
WHERE key <> '{}' AND NOT key && regexp_split_to_array(:'ignored', '[ ,]+')
ORDER BY 1;
