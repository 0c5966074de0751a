SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), :'restricted_role')
\gexec
