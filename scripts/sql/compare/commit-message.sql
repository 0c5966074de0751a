-- Prints the differences as a commit message: the total, then every table, then at most ten
-- providers, those with most differences. Needs compare/counts/.
WITH :counts,
described AS (
    SELECT *,
           CASE WHEN any_provider THEN left(name, 40) ELSE left(provider, 40) END || ': ' AS title,
           concat_ws(', ',
                     nullif(concat_ws(' ', nullif(added, '0'), nullif(removed, '0')), ''),
                     nullif(changed, '0') || ' changed') AS counted,
           concat(', ' || nullif(dearer, '0') || CASE dearer WHEN '1' THEN ' price up'
                                                             ELSE ' prices up' END,
                  ', ' || nullif(cheaper, '0') || CASE cheaper WHEN '1' THEN ' price down'
                                                               ELSE ' prices down' END) AS prices
    FROM texts
),
providers AS (
    SELECT *, row_number() OVER (ORDER BY rows DESC, provider COLLATE "C") AS place,
           count(*) OVER () AS providers
    FROM described
    WHERE any_table AND NOT any_provider AND provider <> '-'
),
lines (section, place, line) AS (
    SELECT 1, 0, 'Update assets (rows): ' || counted FROM described WHERE any_table AND any_provider
    UNION ALL
    SELECT 2, 0, '' WHERE EXISTS (SELECT FROM described)
    UNION ALL
    SELECT 3, row_number() OVER (ORDER BY name COLLATE "C"), title || counted || prices
    FROM described WHERE any_provider AND NOT any_table
    UNION ALL
    SELECT 4, 0, '' WHERE EXISTS (SELECT FROM providers)
    UNION ALL
    SELECT 5, place, title || counted || prices FROM providers WHERE place <= 10
    UNION ALL
    SELECT 6, 0, format('and %s more', providers - 10) FROM providers WHERE place = 11
)
SELECT line FROM lines ORDER BY section, place;
