-- The foreign keys again, which checks every row; and no sequence behind the numbers that came.
SELECT set_config('session_replication_role', 'origin', true) FROM pg_roles WHERE rolname = current_user AND rolsuper \g /dev/null
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', referencing, conname, definition) FROM foreign_keys \gexec
SELECT format('SELECT setval(%L, greatest((SELECT max(%I) FROM %s), nextval(%1$L)))', sequence, attname, chosen.oid::regclass)
FROM chosen JOIN pg_attribute ON attrelid = chosen.oid AND attnum > 0 AND NOT attisdropped,
     LATERAL (SELECT pg_get_serial_sequence(chosen.oid::regclass::text, attname) AS sequence) AS owned
WHERE sequence IS NOT NULL
\gexec
