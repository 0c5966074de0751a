-- Prints, as a table of contents names them, the rows of extensions' tables, and the values of
-- their sequences, that this user may not write in a new database. It may do what the owner may,
-- and what the extension itself grants. With :trusted empty, prints all of them.
SELECT translate(format(' %s %s %s ',
                        CASE relkind WHEN 'S' THEN 'SEQUENCE SET' ELSE 'TABLE DATA' END,
                        nspname, relname), E'\n\r', '  ')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     JOIN pg_depend ON pg_depend.classid = 'pg_class'::regclass AND objid = pg_class.oid
        AND deptype = 'e'
WHERE relkind IN ('r', 'S')
  AND (:'trusted' = ''
       OR NOT pg_has_role(relowner, 'USAGE')
          AND NOT EXISTS (
              SELECT FROM pg_init_privs, aclexplode(initprivs)
              WHERE objoid = pg_class.oid AND classoid = 'pg_class'::regclass
                AND privilege_type = CASE relkind WHEN 'S' THEN 'UPDATE' ELSE 'INSERT' END
                AND (grantee = 0 OR pg_has_role(grantee, 'USAGE'))));
