-- Drops the databases :databases, one a line, and ends their sessions. An ordinary user may not end
-- a superuser's process, so that WITH (FORCE) would fail where a worker of autovacuum is at work.
-- DROP DATABASE without it makes the worker leave, and waits five seconds for other processes.
-- Needs lock/may-end/.
SET ROLE NONE;
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity JOIN pg_roles ON pg_roles.oid = usesysid
WHERE datname = ANY (string_to_array(:'databases', E'\n')) AND :may_end
\g /dev/null
RESET ROLE;
SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
       format('DROP DATABASE %I', datname) || CASE WHEN rolsuper THEN ' WITH (FORCE)' ELSE '' END
FROM pg_database, pg_roles
WHERE datname = ANY (string_to_array(:'databases', E'\n')) AND rolname = current_user
ORDER BY datname
\gexec
