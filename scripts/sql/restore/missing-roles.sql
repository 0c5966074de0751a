-- The owners, as far as a table of contents tells them, that are no roles here. A role's name may hold spaces.
SELECT DISTINCT regexp_replace(entry, '^.* ', '')
FROM unnest(string_to_array(:'entries', E'\n')) AS entry
WHERE entry ~ '[^ ]$' AND NOT EXISTS (SELECT FROM pg_roles WHERE right(entry, length(rolname) + 1) = ' ' || rolname);
