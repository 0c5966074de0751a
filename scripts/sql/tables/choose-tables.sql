-- The tables that the user names, one a line, with or without a schema, and their partitions, which
-- hold the rows: each as SQL names it and as a table of contents does. Other objects, such as
-- views, are printed as 'other', names that nothing has as 'unknown', and the names of all tables
-- as 'known'. Event triggers do not fire if this user may disable them. Needs tables/user-tables/.
SELECT set_config('session_replication_role', 'replica', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
CREATE TEMPORARY TABLE chosen AS
SELECT given, (SELECT pg_class.oid
               FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
               WHERE given IN (format('%I.%I', nspname, relname), format('%s.%s', nspname, relname))
                  OR nspname = 'public' AND given IN (relname, quote_ident(relname))
               ORDER BY relkind IN ('r', 'p') DESC
               LIMIT 1) AS oid
FROM unnest(string_to_array(:'tables', E'\n')) AS given;
CREATE TEMPORARY TABLE chosen_parts AS
SELECT DISTINCT pg_class.oid, nspname, relname, relkind, relispartition, :rows_move AS rows_move,
                :is_filled AS is_filled
FROM chosen, LATERAL (SELECT chosen.oid
                      UNION SELECT relid FROM pg_partition_tree(chosen.oid)) AS tree (relid)
     JOIN pg_class ON pg_class.oid = relid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE relkind IN ('r', 'p');
CREATE TEMPORARY TABLE filled AS
SELECT oid, nspname, relname FROM chosen_parts WHERE relkind = 'r';
CREATE TEMPORARY TABLE copied AS
SELECT oid, nspname, relname, relkind FROM chosen_parts WHERE is_filled;
SELECT set_config('session_replication_role', 'origin', false)
FROM pg_roles WHERE rolname = current_user AND rolsuper
\g /dev/null
SELECT 'unknown ' || given FROM chosen WHERE oid IS NULL
UNION ALL SELECT 'other ' || pg_describe_object('pg_class'::regclass, oid, 0)
          FROM chosen JOIN pg_class USING (oid) WHERE relkind NOT IN ('r', 'p')
UNION ALL SELECT 'known ' || CASE nspname WHEN 'public' THEN relname
                                           ELSE format('%s.%s', nspname, relname) END
          FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
          WHERE relkind IN ('r', 'p') AND nspname NOT IN ('pg_catalog', 'information_schema')
            AND EXISTS (SELECT FROM chosen WHERE oid IS NULL)
UNION ALL SELECT 'whole ' || pg_partition_root(oid)::regclass
          FROM chosen JOIN chosen_parts USING (oid) WHERE rows_move AND relispartition
UNION ALL SELECT format('table %I.%I', nspname, relname) FROM copied
UNION ALL SELECT format('entry TABLE DATA %s %s ', nspname, relname) FROM filled
UNION ALL SELECT 'partitioned ' || given FROM chosen JOIN pg_class USING (oid) WHERE relkind = 'p';
