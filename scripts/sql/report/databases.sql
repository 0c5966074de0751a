-- The databases of the server that a user can have meant.
SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate;
