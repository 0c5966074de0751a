-- Tables that keep this user from replacing the rows of the chosen ones: those that it may not
-- empty or fill, and those of other roles whose foreign keys it would have to drop and add again.
-- Needs choose-tables.sql.
SELECT format('%I.%I', nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE pg_class.oid IN (SELECT oid FROM filled)
      AND NOT (has_table_privilege(pg_class.oid, 'truncate')
               AND has_table_privilege(pg_class.oid, 'insert'))
   OR NOT pg_has_role(relowner, 'usage')
      AND EXISTS (SELECT FROM pg_constraint, filled
                  WHERE contype = 'f' AND conrelid = pg_class.oid
                    AND filled.oid IN (conrelid, confrelid))
ORDER BY 1
LIMIT 20;
