-- Prints 'yes' if the kept copy is complete, has this comment with its present owner, and the
-- owner, encoding, locale and tablespace of the live database, or this user as its owner where
-- there is none. A copy of another owner may have been made by anyone who may create databases. The
-- rows are read as JSON because the columns for locales differ between versions 15 and 17.
SELECT 'yes'
FROM pg_database AS copy LEFT JOIN pg_database AS live ON live.datname = :'live'
WHERE copy.datname = :'kept_copy' AND NOT copy.datallowconn
  AND shobj_description(copy.oid, 'pg_database') = :'comment' || ', owner ' || copy.datdba
  AND copy.datdba = coalesce(live.datdba, (SELECT oid FROM pg_roles WHERE rolname = current_user))
  AND (live.oid IS NULL
       OR NOT EXISTS (SELECT FROM jsonb_each(to_jsonb(copy)) AS copied
                      WHERE key IN ('encoding', 'datcollate', 'datctype', 'dattablespace',
                                    'datlocprovider', 'datlocale', 'daticulocale', 'daticurules')
                        AND value IS DISTINCT FROM to_jsonb(live) -> key));
