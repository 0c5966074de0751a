-- Prints two lines if the previous database belongs to another role than the live one: that owner,
-- and the statement that changes it. Anyone who may create databases could have made such a
-- database.
SELECT unnest(ARRAY[previous.datdba::regrole::text,
                    format('ALTER DATABASE %I OWNER TO %I', previous.datname,
                           pg_get_userbyid(live.datdba))])
FROM pg_database AS previous JOIN pg_database AS live ON live.datname = :'live'
WHERE previous.datname = :'previous' AND previous.datdba <> live.datdba;
