-- Up to 20 objects that keep this user from replacing the rows of the chosen tables: tables that it
-- may not empty or fill; tables of other roles with foreign keys that it must drop and add again;
-- tables that these keys refer to and that it may not reference; sequences that it may not set; and
-- if :views is yes, filled materialized views that it may not refresh. Needs choose-tables.sql.
WITH keys AS (
    SELECT conrelid, confrelid FROM pg_constraint
    WHERE contype = 'f'
      AND EXISTS (SELECT FROM filled WHERE oid IN (conrelid, confrelid))
)
SELECT pg_describe_object('pg_class'::regclass, oid, 0)
FROM pg_class
WHERE oid IN (SELECT oid FROM filled) AND NOT (has_table_privilege(oid, 'truncate')
                                               AND has_table_privilege(oid, 'insert'))
   OR oid IN (SELECT conrelid FROM keys) AND NOT pg_has_role(relowner, 'usage')
   OR oid IN (SELECT confrelid FROM keys) AND NOT relispartition
      AND NOT has_any_column_privilege(oid, 'references')
   OR oid IN (SELECT objid FROM pg_depend
              WHERE deptype IN ('a', 'i') AND (refobjid IN (SELECT oid FROM filled)
                                               OR refobjid IN (SELECT oid FROM chosen)))
      AND CASE relkind WHEN 'S' THEN NOT (has_sequence_privilege(oid, 'update')
                                          AND has_sequence_privilege(oid, 'select')) END
   OR relkind = 'm' AND relispopulated AND :'views' = 'yes'
      AND NOT CASE WHEN :'SERVER_VERSION_NUM'::int < 170000 THEN pg_has_role(relowner, 'usage')
                   ELSE has_table_privilege(oid, 'maintain') END
ORDER BY 1
LIMIT 20;
