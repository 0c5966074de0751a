-- Prepared transactions, which only an untrusted backup can have left in a staging database,
-- prevent its drop.
SELECT format('SET ROLE %I', owner), format('ROLLBACK PREPARED %L', gid), 'RESET ROLE'
FROM pg_prepared_xacts
WHERE database = current_database()
\gexec
