-- Moves every sequence beyond the numbers in the tables :affected, a query for their oid, or in all
-- tables where that is not set; whatever the type of the column that holds them. Needs
-- user-tables/.
\if :{?affected}
\else
    \set affected 'SELECT oid FROM pg_class WHERE relkind IN (''r'', ''p'')'
\endif
WITH numbered (sequence, oid, attnum) AS ( -- by a sequence of the column, or one its default uses
    SELECT objid, refobjid, refobjsubid FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass
      AND refobjsubid > 0 AND deptype IN ('a', 'i')
    UNION
    SELECT refobjid, adrelid, adnum FROM pg_attrdef JOIN pg_depend ON objid = pg_attrdef.oid
    WHERE classid = 'pg_attrdef'::regclass AND refclassid = 'pg_class'::regclass
)
SELECT format(
           $$SELECT setval(%1$L, last_loaded::bigint)
             FROM (SELECT %2$s(number) AS last_loaded
                   FROM (SELECT CASE WHEN %3$s ~ '^-?\d+(\.\d+)?$'
                                     THEN trunc((%3$s)::numeric) END AS number
                         FROM %4$s) AS numbers
                   WHERE number BETWEEN %5$s AND %6$s) AS numbers, %1$s
             WHERE (last_loaded * (%7$s), true) > (last_value::numeric * (%7$s), is_called)$$,
           sequence::regclass, CASE WHEN seqincrement > 0 THEN 'max' ELSE 'min' END, :column_text,
           oid::regclass, seqmin, seqmax, sign(seqincrement))
FROM numbered
     JOIN pg_sequence ON seqrelid = sequence
     JOIN (:affected) AS affected USING (oid)
     JOIN pg_attribute USING (attnum)
WHERE attrelid = oid
\gexec
