-- Undoes what admit-role.sql has changed, by the statements that it has printed.
SELECT json_array_elements_text(:'undo') \gexec
