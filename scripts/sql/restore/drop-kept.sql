-- Drops the database :kept: a kept copy, or the previous one.
SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname = :'kept'
\gexec
