-- What a restore must know of the server and of this user, in one row:
--   may the user create databases? t or f; 'owner' if it may, but may not act for the live
--     database's owner; 'tablespace' if it may do both, but not use the live database's tablespace
--   may it restrict a role (see create-role.sql), and end what that role does?
--   how many jobs load fastest: one for each core that the server may use (its affinity, its
--     container's share; 2 if this user may not read them), and at most half of the connections
--     that are free, for all and for this user
--   the best compression that the server has for long values
--   how large the write-ahead log becomes before it is recycled, in bytes
--   its data directory; empty if this user may not read it, or if the server is on another
--     machine than the client
SELECT CASE WHEN :'SERVER_VERSION_NUM'::int >= 160000 THEN 'SET' ELSE 'MEMBER' END AS needed \gset
SELECT rolsuper AS is_superuser, rolsuper AS may_restrict,
       CASE WHEN NOT (rolsuper OR rolcreatedb) THEN 'f'
            WHEN EXISTS (SELECT FROM pg_database
                         WHERE datname = :'live' AND NOT (pg_has_role(datdba, 'USAGE')
                                                          AND pg_has_role(datdba, :'needed')))
            THEN 'owner'
            WHEN EXISTS (SELECT FROM pg_database
                              JOIN pg_tablespace ON pg_tablespace.oid = dattablespace
                         WHERE datname = :'live' AND spcname <> 'pg_default'
                           AND NOT has_tablespace_privilege(spcname, 'CREATE'))
            THEN 'tablespace'
            ELSE 't' END AS may_create,
       rolcreaterole AND rolinherit AND NOT rolsuper
       AND :'SERVER_VERSION_NUM'::int >= 150000 AS may_create_roles
FROM pg_roles WHERE rolname = current_user \gset
\if :may_create_roles
    SELECT bool_and(has_parameter_privilege(name, 'SET')) AS may_restrict
    FROM unnest(ARRAY['temp_file_limit', 'log_min_messages', 'log_min_error_statement',
                      'log_statement', 'log_min_duration_statement']) AS name \gset
\endif
SELECT '' AS affinity, '' AS share \gset
\if :is_superuser
    SELECT coalesce(pg_read_file('/proc/self/status', 0, 100000, true), '') AS affinity,
           coalesce(pg_read_file('/sys/fs/cgroup/cpu.max', 0, 100, true), '') AS share \gset
\endif
SELECT :'may_create', :'may_restrict',
       greatest(1, least(
           coalesce(bit_count(decode(lpad(replace(
               substring(:'affinity' FROM 'Cpus_allowed:\s+([0-9a-f,]+)'), ',', ''), 1024, '0'),
               'hex')), 2),
           ceil(substring(:'share' FROM '^(\d+) ')::numeric
                / substring(:'share' FROM ' (\d+)')::numeric),
           (SELECT current_setting('max_connections')::int - count(*) FROM pg_stat_activity) / 2,
           (SELECT CASE WHEN rolconnlimit >= 0 THEN rolconnlimit - count(pid) END
            FROM pg_roles LEFT JOIN pg_stat_activity ON usesysid = pg_roles.oid
            WHERE rolname = current_user GROUP BY rolconnlimit) / 2)),
       (SELECT CASE WHEN 'lz4' = ANY (enumvals) THEN 'lz4' ELSE setting END
        FROM pg_settings WHERE name = 'default_toast_compression'),
       pg_size_bytes(current_setting('max_wal_size')),
       CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage')
                 AND (inet_client_addr() IS NOT DISTINCT FROM inet_server_addr()
                      OR inet_client_addr() << '127.0.0.0/8')
            THEN current_setting('data_directory') ELSE '' END;
