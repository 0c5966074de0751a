-- Runs the statements :listed, a JSON array that another file has printed. psql does not read them
-- itself: a false server could have put psql's own commands there.
SELECT json_array_elements_text(:'listed') \gexec
