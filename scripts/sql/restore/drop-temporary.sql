-- What a run needs no longer: staging, the replaced and the compared database.
SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
       format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname IN (:'staging', :'replaced', :'compared') ORDER BY datname
\gexec
