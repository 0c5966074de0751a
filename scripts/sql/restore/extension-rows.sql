-- Prints, as a table of contents names them, the rows of extensions' tables that this user may not
-- write.
SELECT translate(format(' TABLE DATA %s %s ', nspname, relname), E'\n\r', '  ')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
WHERE relkind = 'r' AND NOT has_table_privilege(pg_class.oid, 'INSERT');
