-- Lets the restricted role fill the tables of the live database's own schema, and create nothing
-- there. SECURITY DEFINER functions become SECURITY INVOKER during the load; prints the statements
-- that undo this, as JSON in one line.
SELECT coalesce(json_agg(format('ALTER ROUTINE %s SECURITY DEFINER', pg_proc.oid::regprocedure)),
                '[]')
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE prosecdef AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema';
SELECT format('ALTER ROUTINE %s SECURITY INVOKER', pg_proc.oid::regprocedure)
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE prosecdef AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'restricted_role')
\gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'restricted_role'),
       format('GRANT INSERT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'restricted_role'),
       format('GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I',
              nspname, :'restricted_role')
FROM pg_namespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND EXISTS (SELECT FROM pg_class
              WHERE relnamespace = pg_namespace.oid AND relkind IN ('r', 'p', 'S'))
\gexec
