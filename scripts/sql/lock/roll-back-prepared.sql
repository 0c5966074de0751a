-- Prepared transactions, which only an untrusted backup can have left in a staging database,
-- prevent its drop.
SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts
WHERE database = current_database()
\gexec
