-- What prevents replacing the live database, one reason a line: what a rename would wait for, and
-- what would be lost with the replaced database. A restore in place renames nothing, but it
-- drops tables and creates them again: a subscription would no longer fill these.
SELECT 'prepared ' || quote_literal(regexp_replace(gid, '[[:cntrl:]]', '?', 'g'))
FROM pg_prepared_xacts WHERE database = :'live' AND :'in_place' <> 'yes'
UNION ALL
SELECT 'slot ' || quote_literal(slot_name)
FROM pg_replication_slots WHERE database = :'live' AND :'in_place' <> 'yes'
UNION ALL
SELECT 'subscription ' || quote_literal(regexp_replace(subname, '[[:cntrl:]]', '?', 'g'))
FROM pg_subscription JOIN pg_database ON pg_database.oid = subdbid WHERE datname = :'live'
ORDER BY 1;
