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
                    THEN (SELECT format('ROW(%s)::text',
                                        string_agg(quote_ident(part) || '::text', ', '))
                          FROM unnest(key) AS part) END AS key,
               (SELECT format('concat_ws('', '', %s)',
                              string_agg(format('left(%I::text, 200)', part), ', '))
                FROM unnest(key) AS part) AS label,
               format('encode(sha256(convert_to(ROW(%s)::text, getdatabaseencoding())),'
                      ' ''base64'')',
                      string_agg(quote_ident(field) || '::text', ', ' ORDER BY field COLLATE "C"))
               AS hash,
               string_agg(quote_ident(field) || '::text AS ' || quote_ident(field), ', ') AS texts,
               coalesce(max(quote_ident(field) || '::text') FILTER (WHERE field = 'provider_name'),
                        'NULL') AS provider,
               coalesce(max(format('nullif(%I::numeric, -1)', field)) FILTER (
                            WHERE field = 'cost_per_hour'
                              AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                               'numeric'::regtype, 'float4'::regtype,
                                               'float8'::regtype)),
                        'NULL') AS price
        FROM (SELECT source, name, key, key_line,
                     CASE WHEN column_line IN (SELECT line FROM listed) THEN field END AS field,
                     atttypid
              FROM fields
              WHERE table_line IN (SELECT line FROM listed)) AS chosen
        GROUP BY source, name, key, key_line
    )
