-- Prints the examples as text: their keys, and for a changed row the columns that differ; without a
-- key, all columns. Needs examples.sql.
WITH fields AS (
    SELECT place, kind, label, field,
           coalesce(left(old, 40) || CASE WHEN length(old) > 40 THEN '...' ELSE '' END, 'null')
           AS old,
           coalesce(left(new, 40) || CASE WHEN length(new) > 40 THEN '...' ELSE '' END, 'null')
           AS new,
           coalesce(new, old) IS NOT NULL AS is_filled, old IS DISTINCT FROM new AS differs
    FROM found,
         jsonb_object_keys(coalesce(new_texts, old_texts)) AS field,
         LATERAL (SELECT old_texts ->> field AS old, new_texts ->> field AS new) AS value
),
lines (place, part, line) AS (
    SELECT min(place), 1, '' FROM found GROUP BY name
    UNION ALL
    SELECT min(place), 2, regexp_replace(name, '^public\.', '') FROM found GROUP BY name
    UNION ALL
    SELECT place, 3,
           format('  %s  %s', rpad(kind, 7),
                  coalesce(label,
                           (SELECT string_agg(field || ' ' || CASE kind WHEN 'added' THEN new
                                                                        ELSE old END, ', '
                                              ORDER BY field COLLATE "C")
                            FROM fields WHERE fields.place = found.place AND is_filled)))
    FROM found
    UNION ALL
    SELECT place, 4, format('    %s %s -> %s', field, old, new)
    FROM fields WHERE kind = 'changed' AND differs
)
SELECT rtrim(regexp_replace(line, '[[:cntrl:]]', '?', 'g'))
FROM lines
ORDER BY place, part, line COLLATE "C";
