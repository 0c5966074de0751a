-- Sorts the rows of CB-Tumblebug's large tables, by columns that exist, and prints the names of the
-- tables. An image or a machine type is there once per region: its rows compress best next to each
-- other. This runs in the staging database, between the load of the rows and that of indexes,
-- foreign keys and triggers. Needs tables/user-tables/.
SET synchronous_commit = off;
SET work_mem = '64MB';
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = '1MB';
SELECT format('CREATE TEMP TABLE sorted AS SELECT %s FROM ONLY public.%I ORDER BY %s',
              columns, name, keys),
       format('TRUNCATE ONLY public.%I', name),
       format('INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM pg_temp.sorted',
              name, columns),
       'DROP TABLE pg_temp.sorted',
       format('SELECT %L', name)
FROM (VALUES ('image_infos', ARRAY['provider_name', 'os_distribution', 'region_list']),
             ('image_info', ARRAY['provider_name', 'os_distribution', 'region_list']),
             ('spec_infos', ARRAY['provider_name', 'csp_spec_name', 'region_name']),
             ('spec_info', ARRAY['provider_name', 'csp_spec_name', 'region_name']))
     AS known (name, key_columns)
     JOIN pg_class ON pg_class.oid = to_regclass('public.' || name) AND relkind = 'r',
     LATERAL (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns,
                     string_agg(:column_text || ' COLLATE "C"', ', '
                                ORDER BY array_position(key_columns, attname::text))
                         FILTER (WHERE attname = ANY (key_columns)) AS keys
              FROM pg_attribute
              WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                AND attgenerated = '') AS columns
WHERE keys IS NOT NULL
\gexec
