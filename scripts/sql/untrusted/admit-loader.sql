-- Lets the loader fill the tables of a schema that is the live database's own, and make nothing there. Functions that
-- act with their owner's rights rest meanwhile: prints the statements that give them these back, as JSON in one line.
SELECT coalesce(json_agg(format('ALTER ROUTINE %s SECURITY DEFINER', pg_proc.oid::regprocedure)), '[]')
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE prosecdef AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema';
SELECT format('ALTER ROUTINE %s SECURITY INVOKER', pg_proc.oid::regprocedure)
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE prosecdef AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'loader'),
       format('GRANT INSERT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'loader'),
       format('GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, :'loader')
FROM pg_namespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND EXISTS (SELECT FROM pg_class WHERE relnamespace = pg_namespace.oid AND relkind IN ('r', 'p', 'S'))
\gexec
