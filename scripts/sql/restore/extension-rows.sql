-- Prints, as a table of contents names them, the rows of extensions' tables, and the values of
-- their sequences, that this user may not write.
SELECT translate(format(' %s %s %s ',
                        CASE relkind WHEN 'S' THEN 'SEQUENCE SET' ELSE 'TABLE DATA' END,
                        nspname, relname), E'\n\r', '  ')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
WHERE relkind IN ('r', 'S') AND NOT pg_has_role(relowner, 'USAGE');
