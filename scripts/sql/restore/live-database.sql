SELECT pg_encoding_to_char(encoding), pg_database_size(oid)
FROM pg_database
WHERE datname = :'live';
