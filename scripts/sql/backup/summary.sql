-- The summary of a backup: one line, and a table by provider if the tables have such columns.
-- The definitions are those of CB-Tumblebug's server, which calls its tables spec_infos and
-- image_infos: it counts the namespace system only, images only (not other resources), and every
-- cost except -1 as priced. Its init reads the lines created and summary. The table is indented,
-- so that no provider's name can make its line a field of the manifest. Needs :size, a text.
SELECT CASE WHEN to_regclass('public.spec_info') IS NULL
            THEN 'spec_infos' ELSE 'spec_info' END AS specs,
       CASE WHEN to_regclass('public.image_info') IS NULL
            THEN 'image_infos' ELSE 'image_info' END AS images
\gset
SELECT to_char(now() AT TIME ZONE 'UTC', '"created: "YYYY-MM-DD HH24:MI:SS" UTC"');
SELECT count(*) = 3 AS is_catalogue
FROM pg_attribute
WHERE NOT attisdropped
  AND (attrelid, attname) IN ((to_regclass('public.' || :'specs'), 'provider_name'),
                              (to_regclass('public.' || :'specs'), 'cost_per_hour'),
                              (to_regclass('public.' || :'images'), 'provider_name'))
\gset
SELECT (SELECT count(*) = 2 FROM pg_attribute
        WHERE NOT attisdropped AND attname = 'namespace'
          AND attrelid IN (to_regclass('public.' || :'specs'),
                           to_regclass('public.' || :'images'))) AS has_namespaces,
       (SELECT count(*) = 1 FROM pg_attribute
        WHERE NOT attisdropped AND attname = 'resource_type'
          AND attrelid = to_regclass('public.' || :'images')) AS has_resource_types
\gset
\set counted_specs true
\if :has_namespaces
    \set counted_specs 'namespace = ''system'''
\endif
\set counted_images :counted_specs
\if :has_resource_types
    \set counted_images :counted_specs ' AND resource_type = ''image'''
\endif
\if :is_catalogue
    WITH specs AS (
        SELECT provider_name AS provider, count(*) AS specs,
               count(*) FILTER (WHERE cost_per_hour <> -1) AS priced
        FROM public.:"specs"
        WHERE :counted_specs
        GROUP BY 1
    ),
    images AS (
        SELECT provider_name AS provider, count(*) AS images
        FROM public.:"images"
        WHERE :counted_images
        GROUP BY 1
    ),
    providers AS (
        SELECT provider, coalesce(images, 0) AS images, coalesce(specs, 0) AS specs,
               coalesce(priced, 0) AS priced
        FROM specs FULL JOIN images USING (provider)
    ),
    totals AS (
        SELECT coalesce(sum(images), 0) AS images, coalesce(sum(specs), 0) AS specs,
               sum(priced) AS priced, count(*) AS providers
        FROM providers
    )
    SELECT line FROM (
        SELECT 1 AS section, NULL AS provider,
               format('summary: %s specs (%s%% priced), %s images across %s CSPs',
                      specs, round(coalesce(100 * priced / nullif(specs, 0), 0)),
                      images, providers) AS line
        FROM totals
        UNION ALL
        SELECT 2, NULL, ''
        UNION ALL
        SELECT 3, NULL, '  provider          images       specs    priced'
        UNION ALL
        SELECT 4, provider,
               '  ' || rpad(name, greatest(12, length(name)))
               || lpad(images::text, 12) || lpad(specs::text, 12)
               || lpad(coalesce(round(100.0 * priced / nullif(specs, 0)) || '%', '-'), 10)
        FROM providers,
             regexp_replace(coalesce(provider, '-'), '[[:cntrl:]]', '?', 'g') AS name
    ) AS lines
    ORDER BY section, provider COLLATE "C";
\else
    SELECT format('summary: %s table%s, %s', count(*), CASE WHEN count(*) <> 1 THEN 's' END,
                  :'size')
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema';
\endif
