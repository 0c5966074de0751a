-- What a database holds: '3 tables, 127,928 rows'. With :only, a list of tables, only these. Needs
-- moves.sql; counts the tables that fingerprints.sql does.
SELECT format('%s table%s, %s row%s', count(*), CASE WHEN count(*) <> 1 THEN 's' END,
              to_char(coalesce(sum(rows), 0), 'FM999,999,999,999'),
              CASE WHEN coalesce(sum(rows), 0) <> 1 THEN 's' END)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
     LATERAL (SELECT (regexp_match(
                         query_to_xml(format('SELECT count(*) AS n FROM %s %I.%I',
                                             CASE relkind WHEN 'r' THEN 'ONLY' ELSE '' END,
                                             nspname, relname), false, true, '')::text,
                         '<n>(\d+)</n>'))[1]::bigint AS rows) AS rows
WHERE CASE relkind WHEN 'r' THEN NOT :moves WHEN 'p' THEN :moves AND NOT relispartition END
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND (:'only' = '' OR format('%I.%I', nspname, relname) = ANY (string_to_array(:'only', E'\n')))
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e');
