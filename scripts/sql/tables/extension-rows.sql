-- The rows of each table of an extension that a dump of this database contains: how many, their
-- fingerprint and the table.
SELECT format('SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0), %L FROM %s AS t %s',
              pg_class.oid::regclass, pg_class.oid::regclass, condition)
FROM pg_extension, unnest(extconfig, extcondition) AS config (id, condition)
     JOIN pg_class ON pg_class.oid = id
WHERE relkind IN ('r', 'p')
\gexec
