-- An expression on a row of pg_attribute: SQL for the text of that column. format() calls the
-- output function. For a user-defined type, only a superuser can define that, but its owner could
-- define a cast to text, which would run with this user's rights. For xml, a cast keeps the
-- declaration, which the output function, and thus a backup, leaves out.
CASE WHEN atttypid < 16384 AND atttypid <> 'pg_catalog.xml'::regtype
     THEN quote_ident(attname) || '::text'
     WHEN atttypid > 0
     THEN format('(CASE num_nonnulls(%1$I) WHEN 1 THEN format(''%%s'', %1$I) END)', attname) END
