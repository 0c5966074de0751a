-- Gives staging what belongs to the live database besides its content: settings, grants, comment,
-- connection limit. This runs after the load, so that no setting of the live database can affect
-- it.
SELECT format('ALTER %s SET %I TO %s',
              CASE WHEN setrole = 0 THEN format('DATABASE %I', :'staging')
                   ELSE format('ROLE %s IN DATABASE %I', setrole::regrole, :'staging') END,
              name,
              CASE WHEN name IN ('local_preload_libraries', 'search_path',
                                 'session_preload_libraries', 'temp_tablespaces')
                   THEN coalesce((SELECT string_agg(quote_literal(coalesce(
                                             replace(part[1], '""', '"'), part[2])), ', ')
                                  FROM regexp_matches(value, '"((?:[^"]|"")*)"|([^,\s]+)', 'g')
                                       AS part), '''''')
                   ELSE quote_literal(value) END)
FROM pg_db_role_setting JOIN pg_database ON pg_database.oid = setdatabase,
     unnest(setconfig) AS setting,
     LATERAL (SELECT split_part(setting, '=', 1) AS name,
                     substr(setting, strpos(setting, '=') + 1) AS value) AS pair
WHERE datname = :'live'
\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %s', datname, datdba::regrole)
FROM pg_database WHERE datname = :'staging'
\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, :'staging',
              CASE WHEN grantee = 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
              CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database AS staging LEFT JOIN pg_database AS live ON live.datname = :'live',
     aclexplode(coalesce(live.datacl, acldefault('d', staging.datdba)))
WHERE staging.datname = :'staging'
\gexec
SELECT format('COMMENT ON DATABASE %I IS %L',
              :'staging', shobj_description(live.oid, 'pg_database')),
       format('ALTER DATABASE %I CONNECTION LIMIT %s',
              :'staging', coalesce(live.datconnlimit, -1)),
       format('ALTER DATABASE %I IS_TEMPLATE %s',
              :'staging', CASE WHEN live.datistemplate THEN 'true' ELSE 'false' END)
FROM (SELECT) AS one_row LEFT JOIN pg_database AS live ON datname = :'live'
\gexec
