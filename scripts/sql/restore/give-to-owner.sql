-- Gives the schemas, tables, views, sequences, routines, types, statistics and large objects that
-- this user owns in this database to the role :owner, except those of extensions. A sequence of a
-- column goes with its table, and the type of a table's rows too.
WITH objects (classid, objid, owner, kind, name) AS (
    SELECT 'pg_namespace'::regclass::oid, oid, nspowner, 'SCHEMA', oid::regnamespace::text
    FROM pg_namespace
    UNION ALL
    SELECT 'pg_class'::regclass, oid, relowner, 'TABLE', oid::regclass::text
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'pg_proc'::regclass, oid, proowner, 'ROUTINE', oid::regprocedure::text
    FROM pg_proc
    UNION ALL
    SELECT 'pg_type'::regclass, pg_type.oid, typowner, 'TYPE', pg_type.oid::regtype::text
    FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
    WHERE typelem = 0 AND typtype <> 'm' AND coalesce(relkind, 'c') = 'c'
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, oid, stxowner, 'STATISTICS',
           format('%s.%I', stxnamespace::regnamespace, stxname)
    FROM pg_statistic_ext
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, lomowner, 'LARGE OBJECT', oid::text
    FROM pg_largeobject_metadata
)
SELECT format('ALTER %s %s OWNER TO %I', kind, name, :'owner')
FROM objects JOIN pg_roles ON pg_roles.oid = owner
WHERE objid >= 16384 -- FirstNormalObjectId: lower numbers are the server's own
  AND rolname = current_user
  AND NOT EXISTS (SELECT FROM pg_depend
                  WHERE pg_depend.classid = objects.classid AND pg_depend.objid = objects.objid
                    AND objsubid = 0 AND deptype IN ('e', 'i', 'a'))
ORDER BY kind <> 'SCHEMA'
\gexec
