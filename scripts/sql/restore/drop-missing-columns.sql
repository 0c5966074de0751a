-- Drops the columns that add-missing-columns.sql has added. Event triggers do not fire if this user
-- may disable them. Needs restore/missing-columns/.
SELECT set_config('session_replication_role', 'replica', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
SELECT format('ALTER TABLE %s DROP COLUMN %I', "table", name)
FROM :missing_columns AS missing_columns
\gexec
