-- Prints every sequence as a table of contents names the entry that sets its value.
SELECT translate(format(' SEQUENCE SET %s %s ', nspname, relname), E'\n\r', '  ')
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind = 'S';
