-- Drops all :objects, and large objects. Tables come first: their sequences go with them. What has
-- gone with another object is skipped. Needs in-place/objects/.
SELECT format('DROP %s IF EXISTS %s CASCADE',
              CASE type WHEN 'statistics object' THEN 'statistics'
                        WHEN 'foreign-data wrapper' THEN 'foreign data wrapper'
                        ELSE type END, identity)
FROM (:objects) AS objects, pg_identify_object(classid, objid, 0)
ORDER BY type <> 'table', objid
\gexec
SELECT lo_unlink(oid) FROM pg_largeobject_metadata \g /dev/null
-- Default privileges would change what the backup's objects grant: back to the server's own.
SELECT format('ALTER DEFAULT PRIVILEGES FOR ROLE %s %s %s ON %s %s %s', defaclrole::regrole,
              CASE WHEN defaclnamespace <> 0
                   THEN format('IN SCHEMA %s', defaclnamespace::regnamespace) END,
              change, objects, CASE WHEN is_grant THEN 'TO' ELSE 'FROM' END,
              CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
FROM pg_default_acl,
     LATERAL (SELECT CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
                                        WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
                                        WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END AS objects
             ) AS named,
     LATERAL (SELECT false AS is_grant, 'REVOKE ALL' AS change, grantee FROM aclexplode(defaclacl)
              UNION
              SELECT true, 'GRANT ' || privilege_type, grantee
              FROM aclexplode(acldefault(CASE defaclobjtype WHEN 'S' THEN 's'
                                                            ELSE defaclobjtype END, defaclrole))
              WHERE defaclnamespace = 0
             ) AS changes
WHERE pg_has_role(defaclrole, 'usage')
ORDER BY is_grant
\gexec
