-- The kept copy, where there is one: its size in bytes, and what it is a copy of.
SELECT pg_database_size(oid), shobj_description(oid, 'pg_database')
FROM pg_database WHERE datname = :'kept_copy';
