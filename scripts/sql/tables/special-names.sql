-- Tables whose names contain control characters or a backslash, and columns whose names contain
-- control characters: as JSON, one a line. A manifest has such names of tables as JSON too.
SELECT to_json(format('%I.%I', nspname, relname) || coalesce(' ' || quote_ident(attname), ''))
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
     LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                               AND attname ~ '[[:cntrl:]]'
WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
  AND (concat(nspname, relname, attname) ~ '[[:cntrl:]]' OR concat(nspname, relname) ~ '\\');
