-- Takes the foreign keys of the chosen tables away, to be added again, and so checked, before the end of
-- this transaction; empties the tables. Triggers rest where this user may let them.
SELECT set_config('session_replication_role', 'replica', true) FROM pg_roles WHERE rolname = current_user AND rolsuper \g /dev/null
CREATE TEMPORARY TABLE foreign_keys ON COMMIT DROP AS
SELECT conrelid::regclass AS referencing, conname, pg_get_constraintdef(pg_constraint.oid) AS definition
FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
  AND (conrelid IN (SELECT oid FROM chosen) OR confrelid IN (SELECT oid FROM chosen));
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', referencing, conname) FROM foreign_keys \gexec
SELECT 'TRUNCATE ' || string_agg('ONLY ' || oid::regclass, ', ') FROM filled \gexec
SELECT oid::regclass || coalesce(
           (SELECT format(' (%s)', string_agg(quote_ident(attname), ', ' ORDER BY attnum)) FROM pg_attribute
            WHERE attrelid = filled.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''), '')
FROM filled;
