-- From here on nothing of the archive's can act any more: not the loader, not a session or a transaction that it left.
SELECT format('ALTER ROLE %I NOLOGIN', :'loader') \gexec
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = :'loader' \g /dev/null
SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database() \gexec
