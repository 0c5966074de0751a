-- Prints the statements that refresh the materialized views which are filled here, in the order of
-- their creation, as JSON. Event triggers do not fire if this user may disable them.
SELECT coalesce(json_agg(statement ORDER BY place), '[]')
FROM (SELECT 0::oid, 'SET session_replication_role = replica'
      FROM pg_roles WHERE rolname = current_user AND rolsuper
      UNION ALL
      SELECT oid, format('REFRESH MATERIALIZED VIEW %s', oid::regclass)
      FROM pg_class
      WHERE relkind = 'm' AND relispopulated AND relnamespace <> 'pg_catalog'::regnamespace
     ) AS statements (place, statement);
