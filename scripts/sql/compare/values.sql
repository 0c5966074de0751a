-- The values of the rows :examples, which choose-examples.sql has chosen, in the format of COPY:
-- table, key, the key for people, and the compared columns. Needs compare/expressions/.
WITH :expressions
SELECT format('COPY (SELECT DISTINCT %L, key, label, texts'
              ' FROM (SELECT %s AS key, %s AS label,'
              ' (SELECT to_jsonb(texts) FROM (SELECT %s) AS texts) AS texts FROM %s) AS rows'
              ' WHERE key = ANY (%L)) TO STDOUT',
              name, coalesce(key, hash), CASE WHEN key IS NULL THEN 'NULL::text' ELSE label END,
              texts, source, keys)
FROM expressions
     JOIN (SELECT example ->> 'table' AS name, array_agg(example ->> 'key') AS keys
           FROM jsonb_array_elements(:'examples'::jsonb) AS example
           GROUP BY 1) AS examples USING (name)
\gexec
