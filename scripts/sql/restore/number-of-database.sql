SELECT oid FROM pg_database WHERE datname = :'database';
