-- What the restricted role created in the live database's own schema, where it may create nothing.
SELECT pg_describe_object(classid, objid, objsubid)
FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass
  AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = :'restricted_role')
  AND deptype = 'o'
  AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database());
