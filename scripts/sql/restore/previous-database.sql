-- When the previous database was kept; nothing where there is none. See swap.sql.
SELECT coalesce(substring(shobj_description(oid, 'pg_database') FROM '\[kept ([^]]*)\]$'),
                'at an unknown time')
FROM pg_database WHERE datname = :'previous';
