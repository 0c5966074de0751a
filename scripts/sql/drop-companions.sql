SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname
\gexec
