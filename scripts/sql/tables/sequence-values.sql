-- Prints, as a JSON array, the statements that give another database the values of this one's
-- sequences. Skips those of extensions, and those that this user may not read.
SELECT format('SELECT coalesce(json_agg(statement), ''[]'') FROM (%s) AS statements (statement)',
              coalesce(string_agg(values_of_one, ' UNION ALL '), 'SELECT NULL WHERE false'))
FROM (SELECT format('SELECT format(''SELECT setval(%%L, %%s, %%L)'', %1$L, last_value, is_called)'
                    ' FROM %1$s', pg_class.oid::regclass)
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
      WHERE CASE relkind WHEN 'S' THEN has_sequence_privilege(pg_class.oid, 'SELECT') END
        AND nspname NOT LIKE 'pg\_%'
        AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                          AND deptype = 'e')) AS sequences (values_of_one)
\gexec
