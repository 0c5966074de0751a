-- How many specs and images have arrived from each cloud, in whichever of CB-Tumblebug's tables are there.
SELECT cloud, sum(CASE WHEN kind = 'specs' THEN n ELSE 0 END)::bigint AS specs,
       sum(CASE WHEN kind = 'images' THEN n ELSE 0 END)::bigint AS images
FROM (VALUES ('public.spec_info', 'specs'), ('public.spec_infos', 'specs'),
             ('public.image_info', 'images'), ('public.image_infos', 'images')) AS place (name, kind),
     LATERAL (SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(name) AND attname = 'provider_name') AS there) AS there,
     XMLTABLE('/table/row' PASSING CASE WHEN there THEN query_to_xml(
         format('SELECT provider_name AS cloud, count(*) AS n FROM %s GROUP BY 1', name), false, false, '') END
         COLUMNS cloud text, n bigint)
GROUP BY cloud
ORDER BY cloud COLLATE "C";
