-- Waits until no view or sequence is locked, for lock_timeout at most: pg_dump would wait for them
-- without limit.
SELECT count(pg_relation_size(oid))
FROM pg_class
WHERE relkind IN ('v', 'm', 'S') AND oid >= 16384
\g /dev/null
