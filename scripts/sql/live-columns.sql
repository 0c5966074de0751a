-- As copied.awk prints them for an archive: every column that a row brings, and whether it must.
SELECT format('column %I.%I %I', nspname, relname, attname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relkind = 'r' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY 1;
