-- What the pg_dump next to the server is: its major version, and whether it was built with zstd, as an error tells
-- that it gives before it looks for a server.
\! echo "$(pg_dump --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')"
\! pg_dump --format=custom --compress=zstd --host=/nowhere 2>&1 | grep -q 'not support' && echo no || echo yes
