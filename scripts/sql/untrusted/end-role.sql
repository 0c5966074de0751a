-- From here on, nothing from the archive can act: neither the restricted role, nor a session or a
-- transaction that it left.
SELECT format('ALTER ROLE %I NOLOGIN', :'restricted_role') \gexec
SELECT pg_terminate_backend(pid, 5000)
FROM pg_stat_activity WHERE usename = :'restricted_role'
\g /dev/null
SELECT format('SET ROLE %I', owner), format('ROLLBACK PREPARED %L', gid), 'RESET ROLE'
FROM pg_prepared_xacts WHERE database = current_database()
\gexec
