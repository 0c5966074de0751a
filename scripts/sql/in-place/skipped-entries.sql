-- Prints, as a table of contents names them, the schemas that stay, and that a restore in place
-- must therefore skip. Needs in-place/objects/.
SELECT translate(format(' SCHEMA - %s ', nspname), E'\n\r', '  ')
FROM pg_namespace LEFT JOIN (:objects) AS dropped
     ON classid = 'pg_namespace'::regclass AND objid = pg_namespace.oid
WHERE objid IS NULL AND nspname NOT LIKE 'pg\_%'
  AND nspname NOT IN ('information_schema', 'public');
