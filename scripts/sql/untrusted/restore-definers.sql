-- Gives the functions their owner's rights back, by the statements that admit-loader.sql has printed.
SELECT json_array_elements_text(:'definers') \gexec
