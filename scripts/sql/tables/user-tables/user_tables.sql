-- All tables except the system's and those of extensions. The source is the table as FROM takes it.
-- A printed name takes one line. Needs is_filled.
(
    SELECT pg_class.oid, nspname, relname, relkind, relispartition, name,
           CASE WHEN name ~ '[[:cntrl:]\\]' THEN to_json(name)::text ELSE name END AS printed_name,
           CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || name AS source,
           :is_filled AS is_filled
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace,
         format('%I.%I', nspname, relname) AS name
    WHERE relkind IN ('r', 'p') AND nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                        AND deptype = 'e'))
