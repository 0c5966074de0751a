-- Chooses at most :rows examples of each kind of difference in each table; prints them as JSON.
SELECT coalesce(jsonb_agg(jsonb_build_object('table', name, 'key', key, 'kind', kind)
                          ORDER BY name, array_position(ARRAY['added', 'removed'], kind), place),
                '[]')
FROM (SELECT *, row_number() OVER (PARTITION BY name, kind ORDER BY key, number) AS place
      FROM differences) AS differences
WHERE place <= :'rows'::bigint;
