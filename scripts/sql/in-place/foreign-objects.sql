-- What keeps this user from replacing everything in this database: objects of other roles, outside
-- extensions, and a schema public in which the user may not create any.
SELECT pg_describe_object(classid, objid, 0)
FROM (SELECT 'pg_class'::regclass::oid, oid, relowner FROM pg_class
      WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      UNION ALL SELECT 'pg_proc'::regclass, oid, proowner FROM pg_proc
      UNION ALL SELECT 'pg_type'::regclass, oid, typowner FROM pg_type
      UNION ALL SELECT 'pg_event_trigger'::regclass, oid, evtowner FROM pg_event_trigger
      UNION ALL SELECT 'pg_publication'::regclass, oid, pubowner FROM pg_publication
      UNION ALL SELECT 'pg_foreign_server'::regclass, oid, srvowner FROM pg_foreign_server
      UNION ALL SELECT 'pg_largeobject'::regclass, oid, lomowner FROM pg_largeobject_metadata
     ) AS owned (classid, objid, owner)
WHERE objid >= 16384 AND NOT pg_has_role(owner, 'usage')
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE pg_depend.classid = owned.classid AND pg_depend.objid = owned.objid
                    AND objsubid = 0 AND deptype IN ('e', 'i'))
UNION ALL
SELECT 'schema public' FROM pg_namespace
WHERE nspname = 'public' AND NOT has_schema_privilege(oid, 'create')
ORDER BY 1
LIMIT 20;
