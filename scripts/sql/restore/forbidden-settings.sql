-- The settings of the live database, for all roles or for one, that this user may not give to the
-- staging database. Most settings that the server does not know need a superuser.
SELECT :'SERVER_VERSION_NUM'::int >= 150000 AS has_parameter_grants,
       :'SERVER_VERSION_NUM'::int >= 160000 AS needs_admin_option
\gset
\set may_set false
\set may_alter true
\if :has_parameter_grants
    \set may_set 'has_parameter_privilege(name, ''SET'')'
\endif
\if :needs_admin_option
    \set may_alter 'pg_has_role(setrole, ''MEMBER WITH ADMIN OPTION'')'
\endif
SELECT concat(name, ' of role ' || target.rolname)
FROM pg_db_role_setting
     JOIN pg_database ON pg_database.oid = setdatabase AND datname = :'live'
     CROSS JOIN unnest(setconfig) AS setting
     CROSS JOIN split_part(setting, '=', 1) AS name
     JOIN pg_roles AS this ON this.rolname = current_user AND NOT this.rolsuper
     LEFT JOIN pg_roles AS target ON target.oid = setrole
     LEFT JOIN pg_settings USING (name)
WHERE context IS DISTINCT FROM 'user' AND name <> 'role' AND NOT :may_set -- role is not listed
   OR setrole NOT IN (0, this.oid)
      AND NOT (this.rolcreaterole AND NOT target.rolsuper AND :may_alter)
ORDER BY 1;
