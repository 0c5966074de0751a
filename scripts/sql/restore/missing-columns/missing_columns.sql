-- Columns of the backup that the live schema lacks, with their types. The table is the topmost one
-- of which the filled table is a partition or a child. :columns has lines of table, column and
-- type, with tabs between; an unknown type is loaded as text.
(
    WITH RECURSIVE above (oid, name, type) AS (
        SELECT field[1]::regclass::oid, (parse_ident(field[2]))[1], nullif(field[3], '')
        FROM unnest(string_to_array(:'columns', E'\n')) AS line,
             string_to_array(line, E'\t') AS field
        UNION
        SELECT inhparent, name, type FROM above JOIN pg_inherits ON inhrelid = above.oid
    )
    SELECT oid::regclass AS "table", name,
           coalesce(to_regtype(min(type))::text, 'text') AS type
    FROM above
    WHERE NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = above.oid)
    GROUP BY oid, name)
