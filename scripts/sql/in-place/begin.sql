-- Begins the transaction of a restore in place; :full_sample is for analyze.sql.
\set full_sample no
BEGIN;
SET LOCAL check_function_bodies = off;
SET LOCAL maintenance_work_mem = '256MB';
SELECT set_config(name, 'lz4', true)
FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)
\g /dev/null
