-- Drops the foreign keys of the chosen tables; finish-chosen.sql adds them again, and so checks
-- them, before the end of this transaction. Empties the tables. Prints for each the columns to
-- fill, and the COPY that reads its rows from staging. Triggers do not fire if this user may
-- disable them. A foreign key that checks nothing, because all its triggers are disabled, is kept;
-- TRUNCATE would refuse the table that it refers to, so DELETE empties that one.
SELECT set_config('session_replication_role', 'replica', true)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
-- The triggers of every foreign key and of its copies on partitions.
CREATE TEMPORARY VIEW foreign_key_triggers AS
WITH RECURSIVE parts (key, part, conrelid, confrelid) AS (
    SELECT oid, oid, conrelid, confrelid
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
    UNION ALL
    SELECT key, oid, child.conrelid, child.confrelid
    FROM parts JOIN pg_constraint AS child ON conparentid = part
)
SELECT root.oid AS key, root.conrelid AS owner, root.conname, parts.conrelid, parts.confrelid,
       tgrelid, tgconstrrelid, tgfoid, tgname, tgenabled
FROM parts JOIN pg_constraint AS root ON root.oid = key JOIN pg_trigger ON tgconstraint = part;
CREATE TEMPORARY TABLE foreign_keys ON COMMIT DROP AS
SELECT conrelid::regclass AS referencing, conname, pg_get_constraintdef(oid) AS definition,
       obj_description(oid, 'pg_constraint') AS comment
FROM pg_constraint
WHERE oid IN (SELECT key
              FROM foreign_key_triggers,
                   (SELECT oid FROM chosen UNION SELECT oid FROM filled) AS affected
              WHERE affected.oid IN (conrelid, confrelid))
  AND oid IN (SELECT key FROM foreign_key_triggers WHERE tgenabled <> 'D');
CREATE TEMPORARY TABLE changed_triggers ON COMMIT DROP AS
SELECT owner, conname, tgrelid, tgconstrrelid, tgfoid,
       CASE tgenabled WHEN 'D' THEN 'DISABLE'
                      WHEN 'R' THEN 'ENABLE REPLICA'
                      ELSE 'ENABLE ALWAYS' END AS change
FROM foreign_key_triggers WHERE tgenabled <> 'O';
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', referencing, conname) FROM foreign_keys \gexec
ALTER TABLE filled ADD referred boolean;
UPDATE filled
SET referred = EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND confrelid = filled.oid);
SELECT 'DELETE FROM ONLY ' || oid::regclass FROM filled WHERE referred \gexec
SELECT 'TRUNCATE ' || string_agg('ONLY ' || oid::regclass, ', ')
FROM filled WHERE NOT referred
\gexec
SELECT unnest(ARRAY[
           format('%s%s', oid::regclass, ' (' || columns || ')'),
           CASE relkind
           WHEN 'r' THEN format('COPY %s%s TO STDOUT', oid::regclass, ' (' || columns || ')')
           ELSE format('COPY (SELECT %s FROM %s) TO STDOUT', columns, oid::regclass) END])
FROM copied,
     LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns
              FROM pg_attribute
              WHERE attrelid = copied.oid AND attnum > 0 AND NOT attisdropped
                AND attgenerated = '') AS columns
WHERE NOT EXISTS (SELECT FROM copied AS root
                  WHERE root.relkind = 'p' AND copied.relkind = 'r'
                    AND root.oid = pg_partition_root(copied.oid));
