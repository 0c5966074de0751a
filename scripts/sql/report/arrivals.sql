-- How many specs and images have arrived from each provider, counted in those of CB-Tumblebug's
-- tables that exist.
SELECT provider, sum(CASE WHEN kind = 'specs' THEN n ELSE 0 END)::bigint AS specs,
       sum(CASE WHEN kind = 'images' THEN n ELSE 0 END)::bigint AS images
FROM (VALUES ('public.spec_info', 'specs'), ('public.spec_infos', 'specs'),
             ('public.image_info', 'images'), ('public.image_infos', 'images'))
     AS source (name, kind),
     LATERAL (SELECT EXISTS (SELECT FROM pg_attribute
                             WHERE attrelid = to_regclass(name)
                               AND attname = 'provider_name') AS has_provider) AS has_provider,
     XMLTABLE('/table/row'
              PASSING CASE WHEN has_provider THEN query_to_xml(
                  format('SELECT provider_name AS provider, count(*) AS n FROM %s GROUP BY 1',
                         name), false, false, '') END
              COLUMNS provider text, n bigint)
GROUP BY provider
ORDER BY provider COLLATE "C";
