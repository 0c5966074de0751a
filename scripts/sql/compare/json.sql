-- Prints the differences as a JSON array: by table, where provider is null, and by table and
-- provider. Needs compare/counts/.
WITH :counts
SELECT coalesce(json_agg(json_build_object(
                    'table', name, 'provider', CASE WHEN NOT any_provider THEN provider END,
                    'added', added, 'removed', removed, 'changed', changed,
                    'price_up', dearer, 'price_down', cheaper)
                ORDER BY name COLLATE "C", any_provider DESC, provider COLLATE "C"), '[]')
FROM counts
WHERE NOT any_table AND (any_provider OR provider IS NOT NULL);
