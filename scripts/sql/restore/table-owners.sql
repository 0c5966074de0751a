-- The tables of this database and their owners: 'owned TABLE SCHEMA NAME', as in a table of
-- contents, then a tab and the owner.
SELECT format(E'owned TABLE %s\t%s',
              translate(format('%s %s', nspname, relname), E'\n\r\t', '   '),
              translate(pg_get_userbyid(relowner), E'\n\r\t', '   '))
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
ORDER BY 1;
