-- Returns when the server process :backend has ended, or after five seconds. It belongs to the
-- user who has logged in; ALTER ROLE ... SET role may have changed the current role.
SET ROLE NONE;
SELECT pg_terminate_backend(:'backend'::int, 5000);
RESET ROLE;
