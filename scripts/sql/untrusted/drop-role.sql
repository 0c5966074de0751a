-- What the restricted role created goes to the owner of the live database; then the role is
-- dropped.
SELECT format('REASSIGN OWNED BY %I TO %I', :'restricted_role',
              coalesce((SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = :'live'),
                       current_user))
\gexec
SELECT format('DROP OWNED BY %I', :'restricted_role') \gexec
SELECT format('DROP ROLE %I', :'restricted_role') \gexec
