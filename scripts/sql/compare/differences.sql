-- Compares the two files of digest.sql on the server, :old and :new. The rows that differ go into a
-- temporary table.
SET work_mem = '64MB';
CREATE TEMPORARY TABLE old_rows (
    name text COLLATE "C", key text COLLATE "C", number bigint, provider text COLLATE "C",
    hash text COLLATE "C", price numeric);
CREATE TEMPORARY TABLE new_rows (LIKE old_rows);
\setenv ROWS_FILE :old
\copy old_rows FROM PROGRAM 'cat "$ROWS_FILE"'
\setenv ROWS_FILE :new
\copy new_rows FROM PROGRAM 'cat "$ROWS_FILE"'
CREATE TEMPORARY TABLE differences AS
SELECT name, key, number, coalesce(new.provider, old.provider) AS provider,
       CASE WHEN old.hash IS NULL THEN 'added'
            WHEN new.hash IS NULL THEN 'removed'
            ELSE 'changed' END AS kind,
       new.price > old.price AS is_dearer, new.price < old.price AS is_cheaper
FROM old_rows AS old FULL JOIN new_rows AS new USING (name, key, number)
WHERE old.hash IS DISTINCT FROM new.hash;
