-- The owner of the previous database, if it is not that of the live one, and the statement that
-- changes it: anyone who may create databases may have made it.
SELECT unnest(ARRAY[previous.datdba::regrole::text,
                    format('ALTER DATABASE %I OWNER TO %I', previous.datname,
                           pg_get_userbyid(live.datdba))])
FROM pg_database AS previous JOIN pg_database AS live ON live.datname = :'live'
WHERE previous.datname = :'previous' AND previous.datdba <> live.datdba;
