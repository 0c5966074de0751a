-- Makes the functions SECURITY DEFINER again, by the statements that admit-role.sql has printed.
SELECT json_array_elements_text(:'definers') \gexec
