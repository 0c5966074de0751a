-- What an untrusted archive may not contain, one object a line: whatever could run code, or be read
-- as code, with the rights of someone who later uses the database, hide the schema public from
-- them, or lose its rows when the server crashes. An extension is named instead of its members. The
-- catalogs are read, nothing in them is run. :search_path is the server's default. Allowed are
-- tables, columns, keys, checks, indexes, sequences, comments, enum, domain and composite types,
-- and in their expressions nextval and the server's own immutable functions, except extract:
-- servers before the releases of August 2026 print its first argument unquoted, so that pg_dump
-- writes it as SQL. Rules for SELECT are those of views, which are refused as such.
WITH found (class, id) AS (
    SELECT 'pg_proc'::regclass, oid FROM pg_proc
    UNION ALL SELECT 'pg_class', oid FROM pg_class
              WHERE relkind NOT IN ('r', 'p', 'i', 'I', 'S', 't', 'c')
    UNION ALL SELECT 'pg_rewrite', oid FROM pg_rewrite WHERE ev_type <> '1'
    UNION ALL SELECT 'pg_trigger', oid FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_policy', oid FROM pg_policy
    UNION ALL SELECT 'pg_event_trigger', oid FROM pg_event_trigger
    UNION ALL SELECT 'pg_extension', oid FROM pg_extension
    UNION ALL SELECT 'pg_foreign_data_wrapper', oid FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server', oid FROM pg_foreign_server
    UNION ALL SELECT 'pg_publication', oid FROM pg_publication
    UNION ALL SELECT 'pg_subscription', pg_subscription.oid
              FROM pg_subscription
                   JOIN pg_database ON subdbid = pg_database.oid AND datname = current_database()
    UNION ALL SELECT 'pg_cast', oid FROM pg_cast
    UNION ALL SELECT 'pg_operator', oid FROM pg_operator
    UNION ALL SELECT 'pg_opclass', oid FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily', oid FROM pg_opfamily
    UNION ALL SELECT 'pg_am', oid FROM pg_am
    UNION ALL SELECT 'pg_language', oid FROM pg_language
    UNION ALL SELECT 'pg_transform', oid FROM pg_transform
    UNION ALL SELECT 'pg_conversion', oid FROM pg_conversion
    UNION ALL SELECT 'pg_collation', oid FROM pg_collation
    UNION ALL SELECT 'pg_ts_config', oid FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict', oid FROM pg_ts_dict
    UNION ALL SELECT 'pg_ts_parser', oid FROM pg_ts_parser
    UNION ALL SELECT 'pg_ts_template', oid FROM pg_ts_template
    UNION ALL SELECT 'pg_statistic_ext', oid FROM pg_statistic_ext
    UNION ALL SELECT 'pg_default_acl', oid FROM pg_default_acl
    UNION ALL SELECT 'pg_largeobject', oid FROM pg_largeobject_metadata
    UNION ALL SELECT 'pg_constraint', oid FROM pg_constraint WHERE contype IN ('x', 't')
    UNION ALL SELECT 'pg_type', oid FROM pg_type
              WHERE typtype NOT IN ('c', 'd', 'e') AND typelem = 0
),
trees (class, id, tree) AS (
    SELECT 'pg_attrdef'::regclass, oid, adbin::text FROM pg_attrdef
    UNION ALL SELECT 'pg_constraint', oid, conbin::text FROM pg_constraint
    UNION ALL SELECT 'pg_class', indexrelid, concat(indexprs, indpred) FROM pg_index
    UNION ALL SELECT 'pg_class', partrelid, partexprs::text FROM pg_partitioned_table
    UNION ALL SELECT 'pg_type', oid, typdefaultbin::text FROM pg_type
),
called (class, id, function) AS (
    SELECT class, id, match[1]::oid
    FROM trees, regexp_matches(tree, ':(?:funcid|aggfnoid|winfnoid) (\d+)', 'g') AS match
    UNION
    SELECT class, id, oprcode::oid
    FROM trees, regexp_matches(tree, ':opnos? (?:\(o )?([\d ]+)', 'g') AS match,
         unnest(string_to_array(trim(match[1]), ' ')) AS operator
         JOIN pg_operator ON pg_operator.oid = operator::oid
),
paths (path) AS (
    SELECT :'search_path'
    UNION
    SELECT substr(setting, length('search_path=') + 1)
    FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setting LIKE 'search\_path=%'
      AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = :'live'))
),
searched (name, public_is_before) AS (
    SELECT name, bool_or(name = 'public') OVER (PARTITION BY path ORDER BY number)
    FROM paths,
         regexp_matches(path, '"((?:[^"]|"")*)"|([^,\s]+)', 'g')
             WITH ORDINALITY AS match (part, number),
         coalesce(replace(part[1], '""', '"'), lower(part[2])) AS name
),
first_normal (id) AS ( -- FirstNormalObjectId: objects with lower numbers are the server's own
    VALUES (16384::oid)
),
members (class, id) AS ( -- of extensions, except what the archive added: the role owns that
    SELECT classid, objid
    FROM pg_depend, first_normal
    WHERE deptype = 'e' AND refobjid >= first_normal.id
    EXCEPT
    SELECT classid, objid
    FROM pg_shdepend
    WHERE deptype = 'o' AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = :'restricted_role')
      AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT pg_describe_object(class, found.id, 0)
FROM found, first_normal
WHERE found.id >= first_normal.id AND (class, found.id) NOT IN (SELECT class, id FROM members)
UNION
SELECT pg_describe_object(class, called.id, 0) || ' calls ' || function::regprocedure
FROM called JOIN pg_proc ON pg_proc.oid = function, first_normal
WHERE called.id >= first_normal.id
  AND NOT (function < first_normal.id AND proname <> 'extract'
           AND (provolatile = 'i' OR proname = 'nextval'))
UNION
SELECT 'unlogged ' || pg_describe_object('pg_class'::regclass, oid, 0)
FROM pg_class
WHERE relpersistence = 'u' AND relkind IN ('r', 'p', 'S')
UNION
SELECT pg_describe_object('pg_namespace'::regclass, oid, 0) || ' is searched before public'
FROM pg_namespace
WHERE nspname IN (SELECT rolname FROM pg_roles
                  UNION SELECT name FROM searched WHERE NOT public_is_before)
  AND nspname NOT IN ('pg_toast', 'pg_catalog', 'information_schema')
UNION
SELECT 'security label on ' || pg_describe_object(classoid, objoid, objsubid)
FROM pg_seclabel
UNION
SELECT 'row security on ' || pg_describe_object('pg_class'::regclass, oid, 0)
FROM pg_class
WHERE relrowsecurity
UNION
SELECT 'grants on ' || pg_describe_object('pg_class'::regclass, oid, 0)
FROM pg_class, first_normal
WHERE oid >= first_normal.id
  AND (relacl IS NOT NULL
       OR EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attacl IS NOT NULL))
UNION
SELECT 'grants on ' || pg_describe_object('pg_type'::regclass, oid, 0)
FROM pg_type, first_normal
WHERE oid >= first_normal.id AND typacl IS NOT NULL
UNION
SELECT 'grants on schema ' || nspname
FROM pg_namespace
     LEFT JOIN pg_init_privs ON objoid = pg_namespace.oid
                                AND pg_init_privs.classoid = 'pg_namespace'::regclass
WHERE NOT (nspacl IS NOT DISTINCT FROM initprivs)
  AND nspname NOT IN ('pg_toast', 'pg_catalog', 'information_schema')
UNION
SELECT 'settings or grants of the database itself'
FROM pg_database
WHERE datname = current_database()
  AND (EXISTS (SELECT FROM aclexplode(datacl) WHERE grantee <> datdba)
       OR EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = pg_database.oid))
ORDER BY 1;
