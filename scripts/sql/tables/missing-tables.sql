-- Those of the tables :names, one a line, that do not exist.
SELECT name FROM unnest(string_to_array(:'names', E'\n')) AS name
WHERE name <> '' AND to_regclass(name) IS NULL;
