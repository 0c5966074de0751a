-- The databases that a user may have meant: not templates, PostgreSQL's own, or those of runs.
SELECT datname FROM pg_database
WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres' AND datname NOT LIKE 'assets\_%';
