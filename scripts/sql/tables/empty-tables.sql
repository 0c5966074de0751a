-- One statement for all tables: all of them or none, whatever foreign keys are between them. Tables
-- of extensions keep their rows, which belong to the extension. Needs tables/user-tables/.
SELECT 'TRUNCATE ' || string_agg(name, ', ') || ' RESTART IDENTITY'
FROM :user_tables AS user_tables
HAVING count(*) > 0
\gexec
SELECT 'all';
