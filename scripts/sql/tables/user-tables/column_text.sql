-- An expression on a row of pg_attribute: SQL for the text of that column. The owner of a type may
-- define its cast to text, a function that would run with this user's rights, but not its output
-- function, which format() calls.
CASE WHEN atttypid < 16384 THEN quote_ident(attname) || '::text'
     WHEN atttypid >= 16384
     THEN format('(CASE num_nonnulls(%1$I) WHEN 1 THEN format(''%%s'', %1$I) END)', attname) END
