-- Lets the restricted role fill the tables of the live database's own schema, and create nothing
-- there. Foreign tables, tables with foreign partitions and tables of extensions are excluded.
-- During the load, SECURITY DEFINER functions are SECURITY INVOKER, and PUBLIC may not execute
-- functions in languages that ignore rights, such as plpython3u. Prints the statements that undo
-- this, as JSON in one line. Needs untrusted/routines/.
SELECT coalesce(json_agg(statement), '[]')
FROM :routines AS routines,
     LATERAL (SELECT format('ALTER ROUTINE %s SECURITY DEFINER', name) WHERE is_definer
              UNION ALL
              SELECT format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', name) WHERE is_unsafe)
         AS undo (statement);
SELECT format('ALTER ROUTINE %s SECURITY INVOKER', name) FROM :routines AS routines WHERE is_definer
UNION ALL
SELECT format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', name)
FROM :routines AS routines WHERE is_unsafe
\gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'restricted_role')
\gexec
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'restricted_role')
FROM pg_namespace
WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND EXISTS (SELECT FROM pg_class
              WHERE relnamespace = pg_namespace.oid AND relkind IN ('r', 'p', 'S'))
\gexec
SELECT format('GRANT %s %s TO %I',
              CASE relkind WHEN 'S' THEN 'USAGE, UPDATE ON SEQUENCE' ELSE 'INSERT ON' END,
              pg_class.oid::regclass, :'restricted_role')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'S')
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_partition_tree(pg_class.oid)
                       JOIN pg_class AS partition ON partition.oid = relid
                  WHERE partition.relkind = 'f')
\gexec
