-- Prints, as a table of contents names them, the schemas and the members of extensions that stay,
-- and that a restore in place must therefore skip. Needs objects.sql.
SELECT translate(entry, E'\n\r', '  ')
FROM (SELECT format(' SCHEMA - %s ', nspname)
      FROM pg_namespace LEFT JOIN (:objects) AS dropped
           ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
      WHERE objid IS NULL AND nspname NOT LIKE 'pg\_%'
        AND nspname NOT IN ('information_schema', 'public')
      UNION ALL
      SELECT format(' %s %s %s ', CASE relkind WHEN 'S' THEN 'SEQUENCE SET' ELSE 'TABLE DATA' END,
                    nspname, relname)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
           JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = pg_class.oid
      WHERE relkind IN ('r', 'S') AND deptype = 'e'
     ) AS kept (entry);
