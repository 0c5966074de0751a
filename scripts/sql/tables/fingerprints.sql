-- For every table its rows and an order-independent fingerprint of their content: the sum of the
-- rows' hashes. Columns are hashed by name, not by position; generated ones follow from the others.
-- Types whose hash is the same for values of different text (1.0 and 1.00), or depends on the
-- database (enums), are hashed as text, except jsonb. With :only, a list of 'column TABLE NAME',
-- only these columns, and only their tables. Needs tables/user-tables/.
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = '1MB';
SELECT format(
           'SELECT count(*) || '' '' || coalesce(sum(hash_record_extended(ROW(%s), 0)), 0)'
           ' || '' '' || %L FROM %s',
           columns, printed_name, source)
FROM :user_tables AS user_tables,
     LATERAL (SELECT string_agg(
                  CASE WHEN atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                         'bool'::regtype, 'bytea'::regtype, 'jsonb'::regtype,
                                         'uuid'::regtype, 'date'::regtype, 'timestamp'::regtype,
                                         'timestamptz'::regtype)
                       THEN quote_ident(attname)
                       ELSE :column_text || ' COLLATE "C"' END,
                  ', ' ORDER BY attname COLLATE "C") AS columns
              FROM pg_attribute
              WHERE attrelid = user_tables.oid AND attnum > 0 AND NOT attisdropped
                AND attgenerated = ''
                AND (:'only' = '' OR format('column %I.%I %I', nspname, relname, attname)
                                     = ANY (string_to_array(:'only', E'\n')))
             ) AS columns
WHERE is_filled AND (:'only' = '' OR columns IS NOT NULL)
ORDER BY printed_name COLLATE "C"
\gexec
