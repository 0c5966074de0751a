-- Prints, as a JSON array, the statements that refresh every filled materialized view, unless it
-- reads an unfilled one: pg_dump does not fill these either. Event triggers do not fire if this
-- user may disable them. Needs tables/filled-views/.
SELECT coalesce(json_agg(statement ORDER BY place), '[]')
FROM (SELECT -1, 'SET session_replication_role = replica'
      FROM pg_roles WHERE rolname = current_user AND rolsuper
      UNION ALL
      SELECT place, format('REFRESH MATERIALIZED VIEW %s', name)
      FROM :filled_views AS filled_views
      WHERE is_refreshable
     ) AS statements (place, statement);
