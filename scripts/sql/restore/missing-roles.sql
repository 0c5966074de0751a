-- The owners in a table of contents that are not roles here. A role's name may contain spaces, and
-- line ends, which a table of contents shows as spaces.
SELECT DISTINCT regexp_replace(entry, '^.* ', '')
FROM unnest(string_to_array(:'entries', E'\n')) AS entry
WHERE entry ~ '[^ ]$'
  AND NOT EXISTS (SELECT FROM pg_roles
                  WHERE right(entry, length(rolname) + 1)
                        = ' ' || translate(rolname, E'\n\r', '  '));
