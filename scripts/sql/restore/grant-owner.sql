-- The statement that lets this user act for the owner of the live database. Before PostgreSQL 16, a
-- role inherits the rights of all roles that it is a member of, or of none.
SELECT CASE WHEN inherits THEN format('GRANT %I TO %I', owner, current_user)
            WHEN :SERVER_VERSION_NUM >= 160000
            THEN format('GRANT %I TO %I WITH INHERIT TRUE', owner, current_user)
            ELSE format('GRANT %I TO %I; ALTER ROLE %2$I INHERIT', owner, current_user) END
FROM (SELECT pg_get_userbyid(datdba) AS owner,
             rolinherit AND NOT pg_has_role(datdba, 'MEMBER') AS inherits
      FROM pg_database, pg_roles
      WHERE datname = :'live' AND rolname = current_user) AS rights;
