-- In a schema that is the live database's own the loader may have made nothing.
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = :'loader')
  AND deptype = 'o' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database());
