SELECT datname FROM pg_database WHERE datname = :'previous';
