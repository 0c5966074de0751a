SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname = :'kept_copy'
\gexec
