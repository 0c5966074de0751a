-- The owner of the previous database, if it is not that of the live one, or this user where there
-- is none: somebody else with the right to create databases may have made it.
SELECT previous.datdba::regrole
FROM pg_database AS previous LEFT JOIN pg_database AS live ON live.datname = :'live'
WHERE previous.datname = :'previous'
  AND previous.datdba
      <> coalesce(live.datdba, (SELECT oid FROM pg_roles WHERE rolname = current_user));
