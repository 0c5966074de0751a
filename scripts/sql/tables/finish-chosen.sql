-- Adds the foreign keys again, which checks every row, with their comments and their triggers'
-- states. Then moves every sequence beyond the numbers that were loaded, whatever the type of the
-- column that holds them.
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
WITH affected AS (
    SELECT oid FROM chosen
    UNION
    SELECT oid FROM filled
    UNION
    SELECT relid FROM chosen, pg_partition_ancestors(chosen.oid) AS above (relid)
),
numbered (sequence, oid, attnum) AS ( -- by a sequence that the column owns, or its default uses
    SELECT objid, refobjid, refobjsubid FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
      AND refobjsubid > 0 AND deptype IN ('a', 'i')
    UNION
    SELECT refobjid, adrelid, adnum FROM pg_attrdef JOIN pg_depend ON objid = pg_attrdef.oid
    WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
)
SELECT format(
           $$SELECT setval(%1$L, last_loaded::bigint)
             FROM (SELECT %2$s(number) AS last_loaded
                   FROM (SELECT CASE WHEN %3$I::text ~ '^-?\d+(\.\d+)?$'
                                     THEN trunc(%3$I::text::numeric) END AS number
                         FROM %4$s) AS numbers
                   WHERE number BETWEEN %5$s AND %6$s) AS numbers, %1$s
             WHERE (last_loaded * (%7$s), true) > (last_value::numeric * (%7$s), is_called)$$,
           sequence::regclass, CASE WHEN seqincrement > 0 THEN 'max' ELSE 'min' END, attname,
           oid::regclass, seqmin, seqmax, sign(seqincrement))
FROM numbered
     JOIN pg_sequence ON seqrelid = sequence
     JOIN affected USING (oid)
     JOIN pg_attribute USING (attnum)
WHERE attrelid = oid
\gexec
