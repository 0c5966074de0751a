-- Drops the columns that add-missing-columns.sql has added.
SELECT format('ALTER TABLE %s DROP COLUMN %I', field[1]::regclass, (parse_ident(field[2]))[1])
FROM unnest(string_to_array(:'columns', E'\n')) AS line, string_to_array(line, E'\t') AS field
\gexec
