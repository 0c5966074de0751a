-- Prints the rows :examples: their keys, and for a changed row the columns that differ; without a
-- key, all columns. :old and :new are the files of values.sql.
CREATE TEMPORARY TABLE old_values (name text, key text, label text, texts jsonb);
CREATE TEMPORARY TABLE new_values (LIKE old_values);
\setenv ROWS_FILE :old
\copy old_values FROM PROGRAM 'cat "$ROWS_FILE"'
\setenv ROWS_FILE :new
\copy new_values FROM PROGRAM 'cat "$ROWS_FILE"'
WITH examples AS (
    SELECT place, example ->> 'table' AS name, example ->> 'key' AS key, example ->> 'kind' AS kind
    FROM jsonb_array_elements(:'examples'::jsonb) WITH ORDINALITY AS element (example, place)
),
found AS (
    SELECT place, name, kind, coalesce(new.label, old.label) AS label,
           old.texts AS old_texts, new.texts AS new_texts
    FROM examples
         LEFT JOIN old_values AS old USING (name, key)
         LEFT JOIN new_values AS new USING (name, key)
),
fields AS (
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
