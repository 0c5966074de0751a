-- Adds the foreign keys again, which checks every row, with their comments and their triggers'
-- states. Deferrable unique and exclusion constraints are checked by triggers, which did not fire
-- for a superuser; rebuilding their indexes checks them. Sets :affected for move-sequences.sql.
SET CONSTRAINTS ALL IMMEDIATE;
SELECT set_config('session_replication_role', 'origin', true)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', referencing, conname, definition)
FROM foreign_keys
\gexec
SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, referencing, comment)
FROM foreign_keys WHERE comment IS NOT NULL
\gexec
SELECT format('ALTER TABLE ONLY %s %s TRIGGER %I', tgrelid::regclass, change, tgname)
FROM changed_triggers
     JOIN foreign_key_triggers USING (owner, conname, tgrelid, tgconstrrelid, tgfoid)
WHERE tgenabled = 'O'
\gexec
SELECT format('REINDEX INDEX %s', conindid::regclass)
FROM pg_constraint JOIN pg_roles ON rolname = current_user AND rolsuper
WHERE contype IN ('p', 'u', 'x') AND condeferrable AND conrelid IN (SELECT oid FROM filled)
\gexec
\set affected 'SELECT oid FROM chosen UNION SELECT oid FROM filled'
\set affected :affected ' UNION SELECT relid FROM chosen, pg_partition_ancestors(chosen.oid)'
\set affected :affected ' AS above (relid)'
