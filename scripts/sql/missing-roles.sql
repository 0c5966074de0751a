SELECT name FROM unnest(string_to_array(:'names', E'\n')) AS name
WHERE name <> '' AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name);
