-- Makes a temporary table of the rows :examples. :old and :new are the files of values.sql.
CREATE TEMPORARY TABLE old_values (name text, key text, label text, texts jsonb);
CREATE TEMPORARY TABLE new_values (LIKE old_values);
\setenv ROWS_FILE :old
\copy old_values FROM PROGRAM 'cat "$ROWS_FILE"'
\setenv ROWS_FILE :new
\copy new_values FROM PROGRAM 'cat "$ROWS_FILE"'
CREATE TEMPORARY TABLE found AS
WITH examples AS (
    SELECT place, example ->> 'table' AS name, example ->> 'key' AS key, example ->> 'kind' AS kind
    FROM jsonb_array_elements(:'examples'::jsonb) WITH ORDINALITY AS element (example, place)
)
SELECT place, name, kind, coalesce(new.label, old.label) AS label,
       old.texts AS old_texts, new.texts AS new_texts
FROM examples
     LEFT JOIN old_values AS old USING (name, key)
     LEFT JOIN new_values AS new USING (name, key);
