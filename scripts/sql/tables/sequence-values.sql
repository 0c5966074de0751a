-- Prints the statements that give another database the values of this one's sequences, except those
-- of extensions, as JSON.
SELECT coalesce(json_agg(format('SELECT setval(%L, %s)', pg_class.oid::regclass, last_value)), '[]')
FROM pg_sequences
     JOIN pg_namespace ON nspname = schemaname
     JOIN pg_class ON relnamespace = pg_namespace.oid AND relname = sequencename
WHERE last_value IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e');
