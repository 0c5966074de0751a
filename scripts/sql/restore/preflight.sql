-- Whether there can be a second copy, and how it is best loaded: the right to make it, the bytes it will take as
-- far as the live database tells, and how many jobs load it: the cores that the server may use (its affinity,
-- its container's share; 2 where we may not look), and half of its free connections at most; the best
-- compression it has for long values. Then the folder that the copy will lie in and its free KiB, and the
-- temporary folder and its; empty where they cannot be seen.
SELECT rolsuper AS may_look, rolsuper OR rolcreatedb AS may_create FROM pg_roles WHERE rolname = current_user \gset
SELECT '' AS affinity, '' AS share \gset
\if :may_look
    SELECT coalesce(pg_read_file('/proc/self/status', 0, 100000, true), '') AS affinity,
           coalesce(pg_read_file('/sys/fs/cgroup/cpu.max', 0, 100, true), '') AS share \gset
\endif
SELECT :'may_create', :'may_look', coalesce((SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'live'), 0),
       greatest(1, least(
           coalesce(bit_count(decode(lpad(replace(substring(:'affinity' FROM 'Cpus_allowed:\s+([0-9a-f,]+)'), ',', ''), 1024, '0'), 'hex')), 2),
           ceil(substring(:'share' FROM '^(\d+) ')::numeric / substring(:'share' FROM ' (\d+)')::numeric),
           (SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity) / 2)),
       (SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE setting END
        FROM pg_settings WHERE name = 'default_toast_compression');
SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage') THEN current_setting('data_directory') ELSE '' END
       AS data_folder \gset
\setenv DATA_FOLDER :data_folder
\! for folder in "$DATA_FOLDER" "${TMPDIR:-/tmp}"; do echo "$folder"; echo "$(df -Pk -- "$folder" 2>/dev/null | awk 'NR == 2 { print $4 }')"; done
