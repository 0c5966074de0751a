-- One snapshot for the dump and for the manifest: they describe the same content. The tables are
-- locked before the snapshot is taken: a TRUNCATE that commits in between would leave them empty
-- in it. Needs tables/user-tables/; wait-for-views.sql comes first.
SELECT 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
       'LOCK TABLE ' || string_agg(name, ', ') || ' IN ACCESS SHARE MODE'
FROM :user_tables AS user_tables
\gexec
SELECT pg_export_snapshot(), pg_backend_pid();
