-- The start of a WITH clause: :compared and, for each table that is in the list :common, the SQL of
-- a row's key, NULL where it has none that both databases have, of the text of that key for people,
-- of the hash of its compared columns, and of these columns as text. The author of a backup cannot
-- choose the hash.
:compared,
    listed AS (
        SELECT unnest(string_to_array(:'common', E'\n')) AS line
    ),
    expressions AS (
        SELECT source, name,
               CASE WHEN key_line IN (SELECT line FROM listed)
                    THEN format('ROW(%s)::text', array_to_string(key_texts, ', ')) END AS key,
               (SELECT format('concat_ws('', '', %s)',
                              string_agg(format('left(%s, 200)', part), ', '))
                FROM unnest(key_texts) AS part) AS label,
               format('encode(sha256(convert_to(ROW(%s)::text, getdatabaseencoding())),'
                      ' ''base64'')',
                      string_agg(field_text, ', ' ORDER BY field COLLATE "C"))
               AS hash,
               string_agg(field_text || ' AS ' || quote_ident(field), ', ') AS texts,
               coalesce(max(field_text) FILTER (WHERE field = 'provider_name'), 'NULL') AS provider,
               coalesce(max(format('nullif(%I::numeric, -1)', field)) FILTER (
                            WHERE field = 'cost_per_hour'
                              AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                               'numeric'::regtype, 'float4'::regtype,
                                               'float8'::regtype)),
                        'NULL') AS price
        FROM (SELECT source, name, key_texts, key_line,
                     CASE WHEN is_listed THEN field END AS field,
                     CASE WHEN is_listed THEN field_text END AS field_text, atttypid
              FROM fields, LATERAL (SELECT column_line IN (SELECT line FROM listed) AS is_listed)
                           AS column_state
              WHERE table_line IN (SELECT line FROM listed)) AS chosen
        GROUP BY source, name, key_texts, key_line
    )
