-- A role for this one load: it may log in and nothing else, is member of nothing, and owns nothing yet. Its
-- temporary files are bounded as the staging database is, and no log gets its password.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
              :'loader', :'password')
\gexec
SELECT format('ALTER ROLE %I SET temp_file_limit = %L', :'loader', least(:'limit'::bigint / 1024, 2147483647) || 'kB')
\gexec
