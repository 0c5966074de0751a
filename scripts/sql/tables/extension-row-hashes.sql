-- The tables of extensions whose rows a dump of this database contains and this user may read, one
-- a line, and a line 'TABLE TAB HASH' for each of these rows.
SELECT format('SELECT %1$L UNION ALL'
              ' SELECT %1$L || chr(9) || md5(ROW(t.*)::text) FROM %1$s AS t %2$s',
              pg_class.oid::regclass, condition)
FROM pg_extension, unnest(extconfig, extcondition) AS config (id, condition)
     JOIN pg_class ON pg_class.oid = id
WHERE relkind IN ('r', 'p') AND has_table_privilege(pg_class.oid, 'SELECT')
\gexec
