-- Ends the server process :backend, one of this run's own, and waits up to five seconds for it. The
-- process belongs to the login user; ALTER ROLE … SET role may have changed the current role.
SET ROLE NONE;
SELECT pg_terminate_backend(:'backend'::int, 5000);
RESET ROLE;
