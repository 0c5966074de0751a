-- A query for what a restore in place drops: all objects of the database, except the
-- schema public, schemas of other roles, extensions, what belongs to these, and the schemas that
-- extensions are in. What is part of another object, as a partition's rows or the sequence of an
-- identity column, goes with it.
    WITH schemas AS (
        SELECT oid, nspname <> 'public' AND pg_has_role(nspowner, 'usage')
                    AND oid NOT IN (SELECT extnamespace FROM pg_extension) AS is_dropped
        FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema'
    )
    SELECT classid, objid
    FROM (SELECT 'pg_namespace'::regclass::oid, oid FROM schemas WHERE is_dropped
          UNION ALL SELECT classid, objid FROM pg_depend JOIN schemas ON schemas.oid = refobjid
                    WHERE refclassid = 'pg_namespace'::regclass AND NOT is_dropped
                      AND classid <> 'pg_extension'::regclass AND objsubid = 0 AND deptype = 'n'
          UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
          UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform
          UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
          UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
          UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
          UNION ALL SELECT 'pg_publication'::regclass, oid FROM pg_publication
          UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server
          UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
         ) AS candidate (classid, objid)
    WHERE objid >= 16384 -- FirstNormalObjectId: lower numbers are the server's own
      AND NOT EXISTS (SELECT FROM pg_depend
                      WHERE pg_depend.classid = candidate.classid
                        AND pg_depend.objid = candidate.objid
                        AND objsubid = 0 AND deptype IN ('e', 'i'))
