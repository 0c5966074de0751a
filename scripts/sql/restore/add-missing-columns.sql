-- Adds columns of the backup that the live schema lacks to the staging tables, so that the rows can
-- be loaded and verified; drop-missing-columns.sql drops them again. Needs
-- restore/missing-columns/.
SELECT format('ALTER TABLE %s ADD COLUMN %I %s', "table", name, type)
FROM :missing_columns AS missing_columns
\gexec
