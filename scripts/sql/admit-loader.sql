-- Lets the loader fill the tables of a schema that is the live database's own, and make nothing there.
SELECT format('GRANT USAGE ON SCHEMA %I TO %I', nspname, :'loader'),
       format('GRANT INSERT ON ALL TABLES IN SCHEMA %I TO %I', nspname, :'loader'),
       format('GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I', nspname, :'loader')
FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
\gexec
