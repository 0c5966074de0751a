-- Prints the examples as a JSON array, with all columns that differ. Needs examples.sql.
SELECT json_agg(json_build_object('table', regexp_replace(name, '^public\.', ''), 'kind', kind,
                                  'key', label, 'columns', columns) ORDER BY place)
FROM found,
     LATERAL (SELECT json_object_agg(field, json_build_object('old', old_texts ->> field,
                                                              'new', new_texts ->> field)
                                     ORDER BY field COLLATE "C") AS columns
              FROM jsonb_object_keys(coalesce(new_texts, old_texts)) AS field
              WHERE old_texts ->> field IS DISTINCT FROM new_texts ->> field) AS fields;
