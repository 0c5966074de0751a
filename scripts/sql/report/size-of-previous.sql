-- The size of the previous database in bytes; nothing where there is none.
SELECT pg_database_size(oid) FROM pg_database WHERE datname = :'previous';
