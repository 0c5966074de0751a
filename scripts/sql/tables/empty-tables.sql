-- One statement for all tables: all of them or none, whatever foreign keys are between them. Tables
-- of extensions keep their rows, which belong to the extension.
SELECT 'TRUNCATE ' || string_agg(format('%I.%I', nspname, relname), ', ') || ' RESTART IDENTITY'
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
HAVING count(*) > 0
\gexec
SELECT 'all';
