-- Why the live database cannot be replaced, one reason a line: what a rename would wait for, and what would vanish with
-- the replaced database.
SELECT 'prepared ' || quote_literal(regexp_replace(gid, '[[:cntrl:]]', '?', 'g')) FROM pg_prepared_xacts
WHERE database = :'live'
UNION ALL
SELECT 'slot ' || quote_literal(slot_name) FROM pg_replication_slots WHERE database = :'live'
UNION ALL
SELECT 'subscription ' || quote_literal(regexp_replace(subname, '[[:cntrl:]]', '?', 'g'))
FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid WHERE datname = :'live'
ORDER BY 1;
