-- Returns when the server process :backend, one of this run's own, has ended, or after five
-- seconds. It belongs to the user who logs in; ALTER ROLE … SET role may have changed the role.
SET ROLE NONE;
SELECT pg_terminate_backend(:'backend'::int, 5000);
RESET ROLE;
