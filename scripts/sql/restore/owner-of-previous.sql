-- The owner of the previous database, if it is not that of the live one: anyone who may create
-- databases may have made it.
SELECT previous.datdba::regrole
FROM pg_database AS previous JOIN pg_database AS live ON live.datname = :'live'
WHERE previous.datname = :'previous' AND previous.datdba <> live.datdba;
