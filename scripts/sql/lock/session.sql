-- Whose session this is: the run's mark on its sessions (empty in any other session), and the
-- server process.
SELECT current_setting('assets.run', true), pg_backend_pid();
