-- Runs :statements, a JSON array that another file has printed. psql does not read the statements
-- itself: a hostile server could have put psql's own commands there.
SELECT json_array_elements_text(:'statements') \gexec
