-- Whoever holds the lock is the only living run: what another left on the server is dead. Its sessions
-- are ended first, so that nothing it still had under way can happen later. Prints what it clears, the
-- folders next to the server too.
\if :locked
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE application_name LIKE '%.sh ' || :'key' || ' %' AND pid <> pg_backend_pid() \g /dev/null
    SELECT datname FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname;
    SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
    FROM pg_database WHERE datname IN (:'staging', :'former') ORDER BY datname
    \gexec
    SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'loader'
    \gexec
    \setenv FAR_PREFIX :far_prefix
    \! for folder in "${TMPDIR:-/tmp}/$FAR_PREFIX".*; do [ ! -e "$folder" ] || { rm -rf "$folder" && echo "$folder"; }; done
\endif
