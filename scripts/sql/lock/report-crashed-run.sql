-- Drops a crashed run's role. Prints 'removed NAME' for each of its databases, or 'failed NAME' if
-- it could not be dropped.
\if :may_clean_up
    SELECT format('DROP ROLE %I', rolname) FROM pg_roles WHERE rolname = :'restricted_role'
    \gexec
\endif
SELECT CASE WHEN datname IS NULL THEN 'removed ' ELSE 'failed ' END || name
FROM unnest(string_to_array(:'databases', E'\n')) AS name
     LEFT JOIN pg_database ON datname = name;
