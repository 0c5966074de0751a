-- One snapshot for the dump and for the manifest: what one proves is what the other holds. The tables are locked before
-- it is taken: a TRUNCATE that is committed between would leave them empty in it.
-- First waits, for as long as a lock may take, for whoever keeps a view or a sequence locked: pg_dump would wait without
-- end.
SELECT count(pg_relation_size(oid)) FROM pg_class WHERE relkind IN ('v', 'm', 'S') AND oid >= 16384 \g /dev/null
SELECT 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
       'LOCK TABLE ' || string_agg(format('%I.%I', nspname, relname), ', ') || ' IN ACCESS SHARE MODE'
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
\gexec
SELECT pg_export_snapshot(), pg_backend_pid();
