-- Returns when the server process :backend has ended, or after five seconds.
SELECT pg_terminate_backend(:'backend'::int, 5000);
