-- What a database holds: '3 tables, 127,928 rows'. With :only, a list of tables, only these. Needs
-- tables/user-tables/; counts the tables that fingerprints.sql does.
SELECT format('%s table%s, %s row%s', count(*), CASE WHEN count(*) <> 1 THEN 's' END,
              to_char(coalesce(sum(rows), 0), 'FM999,999,999,999'),
              CASE WHEN coalesce(sum(rows), 0) <> 1 THEN 's' END)
FROM :user_tables AS user_tables,
     LATERAL (SELECT (regexp_match(
                         query_to_xml('SELECT count(*) AS n FROM ' || source, false, true,
                                      '')::text,
                         '<n>(\d+)</n>'))[1]::bigint AS rows) AS rows
WHERE is_filled
  AND (:'only' = '' OR name = ANY (string_to_array(:'only', E'\n')));
