-- What the loader made goes to the owner of the live database; then nothing is left of the loader here.
SELECT format('REASSIGN OWNED BY %I TO %I', :'loader',
              coalesce((SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = :'live'), current_user))
\gexec
SELECT format('DROP OWNED BY %I', :'loader') \gexec
SELECT format('DROP ROLE %I', :'loader') \gexec
