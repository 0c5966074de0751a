-- The owners in a table of contents that are not roles here, or not such as this user may give
-- something to. A role's name may contain spaces, and line ends, which a table of contents shows as
-- spaces. The members of pg_database_owner depend on the database.
SELECT CASE WHEN :SERVER_VERSION_NUM >= 160000 THEN 'SET' ELSE 'MEMBER' END AS needed \gset
SELECT DISTINCT regexp_replace(entry, '^.* ', '')
FROM unnest(string_to_array(:'entries', E'\n')) AS entry
WHERE entry ~ '[^ ]$'
  AND NOT EXISTS (SELECT FROM pg_roles
                  WHERE right(entry, length(rolname) + 1)
                        = ' ' || translate(rolname, E'\n\r', '  ')
                    AND (pg_has_role(oid, :'needed') OR rolname = 'pg_database_owner'));
