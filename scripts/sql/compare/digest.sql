-- One line for each row, in the format of COPY: its table, its key and number, its provider, the
-- hash of its compared columns, and its price, where it has one. Rows without a key have their hash
-- as key, and equal ones are numbered. Needs compare/expressions/.
SET max_parallel_workers_per_gather = 4;
SET min_parallel_table_scan_size = '1MB';
WITH :expressions
SELECT CASE WHEN key IS NOT NULL
            THEN format('COPY (SELECT %L, %s, 1, %s, %s, %s FROM %s) TO STDOUT',
                        name, key, provider, hash, price, source)
            ELSE format('COPY (SELECT %L, hash, row_number() OVER (PARTITION BY hash),'
                        ' provider, hash, price'
                        ' FROM (SELECT %s AS hash, %s AS provider, %s AS price FROM %s) AS rows)'
                        ' TO STDOUT',
                        name, hash, provider, price, source) END
FROM expressions
\gexec
