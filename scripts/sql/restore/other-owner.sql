-- The owner of the live database, if it is another role for which this user may act.
SELECT CASE WHEN :'SERVER_VERSION_NUM'::int >= 160000 THEN 'SET' ELSE 'MEMBER' END AS needed \gset
SELECT rolname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
WHERE datname = :'live' AND rolname <> current_user AND pg_has_role(datdba, :'needed');
