-- Drops the columns that add-missing-columns.sql has added. Needs restore/missing-columns/.
SELECT format('ALTER TABLE %s DROP COLUMN %I', "table", name)
FROM :missing_columns AS missing_columns
\gexec
