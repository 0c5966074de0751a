-- The statement that lets this user act for the owner of the live database.
SELECT format('GRANT %I TO %I', pg_get_userbyid(datdba), current_user)
FROM pg_database
WHERE datname = :'live';
