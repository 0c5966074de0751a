-- Clones the database :source to :target, which gets the live database's owner, or else that of
-- :source. Nobody may be connected to :source: sessions that look into it end here, and CREATE
-- DATABASE waits for others. PUBLIC may not connect to :target. The comment comes last: a copy
-- without one is incomplete. It names the owner, because ALTER DATABASE … OWNER TO would give the
-- copy to another role, but not its tables. Needs lock/may-end/.
SET ROLE NONE;
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = :'source' AND :may_end
\g /dev/null
RESET ROLE;
SELECT format('CREATE DATABASE %I TEMPLATE %I OWNER %s ALLOW_CONNECTIONS %s%s',
              :'target', :'source', coalesce(live.datdba, source.datdba)::regrole,
              :'accepts_connections',
              CASE WHEN :'SERVER_VERSION_NUM'::int >= 150000
                   THEN ' STRATEGY file_copy' END) AS create,
       :'SERVER_VERSION_NUM'::int >= 180000 AS may_clone_files
FROM pg_database AS source LEFT JOIN pg_database AS live ON live.datname = :'live'
WHERE source.datname = :'source'
\gset
\if :may_clone_files
    \set ON_ERROR_STOP off
    SET file_copy_method = clone;
    SELECT :'create' \gexec
    \set ON_ERROR_STOP on
    SELECT :'ERROR' AS failed \gset
    \if :failed
        SET file_copy_method = copy;
        SELECT :'create' \gexec
    \endif
\else
    SELECT :'create' \gexec
\endif
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'target') \gexec
SELECT format('COMMENT ON DATABASE %I IS %L', datname, :'comment' || ', owner ' || datdba)
FROM pg_database WHERE datname = :'target' AND :'comment' <> ''
\gexec
