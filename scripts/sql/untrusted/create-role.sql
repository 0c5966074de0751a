-- A role for this load only: it may log in and nothing else, is a member of no role, and owns
-- nothing yet. The size limit of the staging database is also that of its temporary files. It
-- writes no messages to the server's log, and its password is not logged. A user who is no
-- superuser becomes a member of the role, to end its sessions and to drop what it owns.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE'
              ' NOREPLICATION NOBYPASSRLS PASSWORD %L', :'restricted_role', :'password')
\gexec
SELECT format('ALTER ROLE %I SET %s', :'restricted_role', setting)
FROM unnest(ARRAY['temp_file_limit = '
                      || quote_literal(least(:'limit'::bigint / 1024, 2147483647) || 'kB'),
                  'log_min_messages = panic', 'log_min_error_statement = panic',
                  'log_statement = none', 'log_min_duration_statement = -1']) AS setting
\gexec
SELECT format('GRANT %I TO %I%s', :'restricted_role', rolname,
              CASE WHEN :'SERVER_VERSION_NUM'::int >= 160000
                   THEN ' WITH INHERIT TRUE, SET TRUE' END)
FROM pg_roles WHERE rolname = current_user AND NOT rolsuper
\gexec
