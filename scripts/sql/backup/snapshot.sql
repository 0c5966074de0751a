-- One snapshot for the dump and for the manifest: they describe the same content. The tables are
-- locked before the snapshot is taken: a TRUNCATE that commits in between would leave them empty
-- in it. Views and sequences come first: if one of them is locked, this waits for lock_timeout at
-- most; pg_dump would wait without limit. Needs user-tables.sql.
SELECT count(pg_relation_size(oid))
FROM pg_class
WHERE relkind IN ('v', 'm', 'S') AND oid >= 16384
\g /dev/null
SELECT 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
       'LOCK TABLE ' || string_agg(name, ', ') || ' IN ACCESS SHARE MODE'
FROM :user_tables AS user_tables
\gexec
SELECT pg_export_snapshot(), pg_backend_pid();
