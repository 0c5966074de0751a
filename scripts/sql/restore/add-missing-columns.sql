-- Adds columns of the backup that the live schema lacks to the staging tables, so that the rows can
-- be loaded and verified; drop-missing-columns.sql drops them again. :columns has lines of table,
-- column and type, with tabs between; an unknown type is loaded as text.
SELECT format('ALTER TABLE %s ADD COLUMN %I %s', field[1]::regclass, (parse_ident(field[2]))[1],
              coalesce(to_regtype(nullif(field[3], ''))::text, 'text'))
FROM unnest(string_to_array(:'columns', E'\n')) AS line, string_to_array(line, E'\t') AS field
\gexec
