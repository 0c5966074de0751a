-- The start of a WITH clause: the differences by table and provider, by table, by provider, and in
-- total, with numbers as text. A NULL as name means all.
    counts AS (
        SELECT grouping(name) = 1 AS any_table, grouping(provider) = 1 AS any_provider, provider,
               regexp_replace(regexp_replace(name, '^public\.', ''), '[[:cntrl:]]', '?', 'g')
               AS name,
               count(*) AS rows,
               count(*) FILTER (WHERE kind = 'added') AS added,
               count(*) FILTER (WHERE kind = 'removed') AS removed,
               count(*) FILTER (WHERE kind = 'changed') AS changed,
               count(*) FILTER (WHERE is_dearer) AS dearer,
               count(*) FILTER (WHERE is_cheaper) AS cheaper
        FROM differences
        GROUP BY GROUPING SETS ((name, provider), (name), (provider), ())
        HAVING count(*) > 0
    ),
    texts AS (
        SELECT any_table, any_provider, name, rows,
               coalesce(regexp_replace(provider, '[[:cntrl:]]', '?', 'g'), '-') AS provider,
               bool_or(provider IS NOT NULL) OVER (PARTITION BY name) AS has_providers,
               CASE WHEN added > 0 THEN '+' ELSE '' END || to_char(added, 'FM999,999,999,990')
               AS added,
               to_char(-removed, 'FM999,999,999,990') AS removed,
               to_char(changed, 'FM999,999,999,990') AS changed,
               to_char(dearer, 'FM999,999,999,990') AS dearer,
               to_char(cheaper, 'FM999,999,999,990') AS cheaper
        FROM counts
    )
