-- What a restore needs no longer: staging and the replaced database.
SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
       format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname IN (:'staging', :'replaced') ORDER BY datname
\gexec
