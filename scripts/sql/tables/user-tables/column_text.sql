-- An expression on a row of pg_attribute: SQL for the text of that column. For a user-defined type,
-- format() calls the output function, which only a superuser can define; its owner could define a
-- cast to text, which would run with this user's rights.
CASE WHEN atttypid < 16384 THEN quote_ident(attname) || '::text'
     WHEN atttypid >= 16384
     THEN format('(CASE num_nonnulls(%1$I) WHEN 1 THEN format(''%%s'', %1$I) END)', attname) END
