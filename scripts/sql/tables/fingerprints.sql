-- For every table its rows and an order-independent fingerprint of their content: the sum of the
-- rows' hashes. Columns are hashed by name, not by position; generated ones follow from the others.
-- Types whose hash is the same for values of different text (1.0 and 1.00), or depends on the
-- database (enums), are hashed as text. With :only, a list of 'column TABLE NAME', only these
-- columns, and only their tables. Needs moves.sql.
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = '1MB';
SELECT format(
           'SELECT count(*) || '' '' || coalesce(sum(hash_record_extended(ROW(%s), 0)), 0)'
           ' || '' '' || %L FROM %s %I.%I',
           columns, name, CASE relkind WHEN 'r' THEN 'ONLY' ELSE '' END, nspname, relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
     LATERAL (SELECT format('%I.%I', nspname, relname) AS plain) AS plain,
     LATERAL (SELECT CASE WHEN plain ~ '[[:cntrl:]\\]' THEN to_json(plain)::text
                          ELSE plain END AS name) AS name,
     LATERAL (SELECT string_agg(
                  CASE WHEN atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype,
                                         'bool'::regtype, 'bytea'::regtype, 'jsonb'::regtype,
                                         'uuid'::regtype, 'date'::regtype, 'timestamp'::regtype,
                                         'timestamptz'::regtype)
                       THEN quote_ident(attname)
                       ELSE format('%I::text COLLATE "C"', attname) END,
                  ', ' ORDER BY attname COLLATE "C") AS columns
              FROM pg_attribute
              WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                AND attgenerated = ''
                AND (:'only' = '' OR format('column %I.%I %I', nspname, relname, attname)
                                     = ANY (string_to_array(:'only', E'\n')))
             ) AS columns
WHERE CASE relkind WHEN 'r' THEN NOT :moves WHEN 'p' THEN :moves AND NOT relispartition END
  AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND (:'only' = '' OR columns IS NOT NULL)
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
ORDER BY name COLLATE "C"
\gexec
