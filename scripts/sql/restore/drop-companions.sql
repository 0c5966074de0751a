-- What a restore needs no longer: staging, the former database, and the folder next to the server.
\! rm -rf "${FAR_FOLDER:?}"
SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
       format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname
\gexec
