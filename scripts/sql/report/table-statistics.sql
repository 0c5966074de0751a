-- The numbers of table-numbers.sql as text: rows, size, share of the database, and a bar for that
-- share, of full blocks (U+2588) or, where the encoding may lack them, of #. The heading comes
-- first, the totals and the whole database, with the system's own tables, come last. Numbers are
-- padded, so that they are right-aligned however the columns are printed.
, texts AS (
    SELECT kind, name, bytes, coalesce(to_char(rows, 'FM999,999,999,999,990'), '') AS rows,
           to_char(scaled, CASE WHEN scaled < 99.95 AND unit <> 'B' THEN 'FM990.0 '
                                ELSE 'FM999990 ' END) || unit AS size,
           to_char(share, 'FM990.0') || '%' AS share,
           CASE kind
                WHEN 'table' THEN
                    repeat(chr(CASE getdatabaseencoding() WHEN 'UTF8' THEN 9608 ELSE 35 END),
                           greatest(round(share / 5), ceil(share / 100))::int)
                ELSE '' END AS bar
    FROM numbers,
         LATERAL (SELECT 100.0 * bytes / pg_database_size(current_database()) AS share) AS share,
         LATERAL (SELECT bytes / factor AS scaled, unit
                  FROM (VALUES (1, 'B'), (1e3, 'kB'), (1e6, 'MB'), (1e9, 'GB'), (1e12, 'TB'))
                       AS units (factor, unit)
                  WHERE bytes >= factor * 0.9995 OR factor = 1
                  ORDER BY factor DESC
                  LIMIT 1) AS size
    UNION ALL
    SELECT 'heading', 'table', NULL, 'rows', 'size', 'share', ''
)
SELECT name, lpad(rows, max(length(rows)) OVER () + 1) AS rows,
       lpad(size, max(length(size)) OVER () + 1) AS size,
       lpad(share, max(length(share)) OVER () + 1) AS share, ' ' || bar AS bar
FROM texts
ORDER BY array_position(ARRAY['heading', 'table', 'total', 'whole'], kind), bytes DESC, name;
