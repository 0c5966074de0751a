-- Whose session this is: the mark that our run gives its sessions, and the process of the server.
SELECT current_setting('assets.run', true), pg_backend_pid();
