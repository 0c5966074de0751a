-- What the database's COPY and CREATE INDEX commands have done so far: kind, table, index, done.
SELECT kind, format('%I.%I', nspname, relname) AS table_name, index_name, done
FROM (SELECT 'rows' AS kind, relid, '' AS index_name, tuples_processed AS done
      FROM pg_stat_progress_copy
      WHERE datname = current_database() AND relid <> 0
      UNION ALL
      SELECT 'index', p.relid, coalesce(i.relname, ''), blocks_done
      FROM pg_stat_progress_create_index AS p LEFT JOIN pg_class AS i ON i.oid = p.index_relid
      WHERE datname = current_database()) AS running
     JOIN pg_class ON pg_class.oid = running.relid
     JOIN pg_namespace ON pg_namespace.oid = relnamespace
