-- Every column that rows of an archive can fill, as remote/list-rows.awk prints those of an
-- archive. Needs tables/user-tables/.
SELECT format('column %I.%I %I', nspname, relname, attname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relkind IN ('r', 'p') AND :is_filled
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY 1;
