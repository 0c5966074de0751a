-- The statements that let this user act for the owner of the live database. A plain GRANT is enough
-- if the role is INHERIT and no member yet. Otherwise the grant must say INHERIT and SET;
-- before PostgreSQL 16, where a grant cannot, the role must be INHERIT.
SELECT CASE WHEN plain_grant_is_enough THEN format('GRANT %I TO %I', owner, current_user)
            WHEN :'SERVER_VERSION_NUM'::int >= 160000
            THEN format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', owner, current_user)
            ELSE format('GRANT %I TO %I; ALTER ROLE %2$I INHERIT', owner, current_user) END
FROM (SELECT pg_get_userbyid(datdba) AS owner,
             rolinherit AND NOT pg_has_role(datdba, 'MEMBER') AS plain_grant_is_enough
      FROM pg_database, pg_roles
      WHERE datname = :'live' AND rolname = current_user) AS rights;
