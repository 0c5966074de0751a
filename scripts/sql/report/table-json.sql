-- The numbers of table-numbers.sql as JSON: an array of the tables, the largest first.
SELECT coalesce(json_agg(json_build_object('table', name, 'rows', rows, 'bytes', bytes)
                         ORDER BY bytes DESC, name), '[]')
FROM numbers
WHERE kind = 'table';
