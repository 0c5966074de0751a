-- Rows of the shape that CB-Tumblebug stores, in its schema.
INSERT INTO spec_infos (id, uid, csp_spec_name, namespace, provider_name, region_name, v_cpu,
                        cost_per_hour)
SELECT format('aws+region-%s+type.%s', n % 9, n), md5(n::text), 'type.' || n, 'system',
       (ARRAY['aws', 'azure', 'gcp'])[n % 3 + 1], 'region-' || n % 9, n % 64,
       CASE WHEN n % 10 = 0 THEN -1 ELSE n / 1000.0 END
FROM generate_series(1, 900) AS n;
INSERT INTO image_infos (resource_type, namespace, provider_name, csp_image_name, id, uid, os_type,
                         details)
SELECT 'image', 'system', (ARRAY['aws', 'azure', 'gcp'])[n % 3 + 1], 'ami-' || md5(n::text),
       'image-' || n, md5(n::text), 'Ubuntu 22.04', '[{"key": "state", "value": "available"}]'
FROM generate_series(1, 2000) AS n;
INSERT INTO latency_infos (source_region, target_region, latency_ms)
SELECT 'region-' || a, 'region-' || b, a * b
FROM generate_series(1, 9) AS a, generate_series(1, 9) AS b;
