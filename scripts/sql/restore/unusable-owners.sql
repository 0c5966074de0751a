-- The owners in a table of contents that do not exist here, or to which this user may not give
-- something. From PostgreSQL 15 on, only the owner of a database may create tables in its schema
-- public; in staging, only a superuser may give a table there to another role. A role's name may
-- contain spaces, and line ends, which a table of contents shows as spaces. The members of
-- pg_database_owner depend on the database. Indexes are added after an object has got its owner, so
-- this user must inherit that owner's rights.
SELECT CASE WHEN :'SERVER_VERSION_NUM'::int >= 160000 THEN 'SET' ELSE 'MEMBER' END AS needed \gset
SELECT DISTINCT regexp_replace(entry, '^.* ', '')
FROM unnest(string_to_array(:'entries', E'\n')) AS entry
WHERE entry ~ '[^ ]$'
  AND NOT EXISTS (SELECT FROM pg_roles
                  WHERE right(entry, length(rolname) + 1)
                        = ' ' || translate(rolname, E'\n\r', '  ')
                    AND (rolname = 'pg_database_owner'
                         OR pg_has_role(oid, :'needed') AND pg_has_role(oid, 'USAGE')
                            AND (:'SERVER_VERSION_NUM'::int < 150000 OR :'in_place' = 'yes'
                                 OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                                 OR entry !~ '^[A-Z ]+ public '
                                 OR pg_has_role(oid, coalesce(
                                        (SELECT datdba FROM pg_database WHERE datname = :'live'),
                                        (SELECT oid FROM pg_roles WHERE rolname = current_user)),
                                        'USAGE'))));
