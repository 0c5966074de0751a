-- Whoever holds the lock is the only living run: what another left on the server is dead. Its sessions
-- are ended first, so that nothing it still had under way can happen later. Prints what it clears, the
-- folders next to the server too; and "stays NAME" for what cannot be removed, which stops nothing. What another user has
-- put there under such a name, or a link, is left alone.
\if :locked
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE application_name LIKE '%.sh ' || :'key' || ' %' AND pid <> pg_backend_pid() \g /dev/null
    \set ON_ERROR_STOP off
    SELECT datname FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname;
    SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = :'staging') AS prepared \gset
    \if :prepared
        \setenv PGDATABASE :staging
        \! echo "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database() \gexec" | psql -X -q
    \endif
    SELECT CASE WHEN datistemplate THEN format('ALTER DATABASE %I IS_TEMPLATE false', datname) END,
           format('DROP DATABASE %I WITH (FORCE)', datname)
    FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname
    \gexec
    SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'loader'
    \gexec
    SELECT 'stays ' || datname FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname;
    \set ON_ERROR_STOP on
    \! for folder in "${TMPDIR:-/tmp}/$FAR_PREFIX".*; do if [ -d "$folder" ] && [ ! -L "$folder" ] && [ -O "$folder" ]; then rm -rf "$folder" && echo "$folder" || echo "stays $folder"; fi; done
\endif
