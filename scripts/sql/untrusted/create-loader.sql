-- A role for this one load: it may log in and nothing else, is member of nothing, and owns nothing yet. Its
-- temporary files are bounded as the staging database is; it fills no log, and no log gets its password.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD %L',
              :'loader', :'password')
\gexec
SELECT format('ALTER ROLE %I SET %s', :'loader', setting)
FROM unnest(ARRAY['temp_file_limit = ' || quote_literal(least(:'limit'::bigint / 1024, 2147483647) || 'kB'),
                  'log_min_messages = panic', 'log_min_error_statement = panic',
                  'log_statement = none', 'log_min_duration_statement = -1']) AS setting
\gexec
