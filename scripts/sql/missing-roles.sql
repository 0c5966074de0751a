SELECT name FROM unnest(string_to_array(rtrim(:'names', E'\n'), E'\n')) AS name
WHERE name <> '' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
