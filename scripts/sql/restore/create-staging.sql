-- An empty staging database with the live one's owner, encoding, locale and tablespace; if there
-- is no live one, with :encoding. PUBLIC may not connect to it. The row is read as JSON because
-- the columns for locales differ between versions 15 and 17.
SELECT format('CREATE DATABASE %I TEMPLATE template0', :'staging')
       || coalesce((
           SELECT format(' OWNER %s ENCODING %L LC_COLLATE %L LC_CTYPE %L',
                         datdba::regrole, pg_encoding_to_char(encoding), datcollate, datctype)
                  || CASE WHEN spcname <> 'pg_default'
                          THEN format(' TABLESPACE %I', spcname) ELSE '' END
                  || CASE d ->> 'datlocprovider'
                     WHEN 'i'
                     THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
                                 coalesce(d ->> 'datlocale', d ->> 'daticulocale'))
                          || coalesce(format(' ICU_RULES %L', d ->> 'daticurules'), '')
                     WHEN 'b'
                     THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', d ->> 'datlocale')
                     WHEN 'c'
                     THEN ' LOCALE_PROVIDER libc'
                     ELSE ''
                     END
           FROM pg_database JOIN pg_tablespace ON pg_tablespace.oid = dattablespace,
                to_jsonb(pg_database) AS d
           WHERE datname = :'live'
       ), (
           SELECT format(' ENCODING %L LOCALE ''C''', :'encoding')
           FROM pg_database
           WHERE datname = 'template0' AND :'encoding' NOT IN ('', pg_encoding_to_char(encoding))
       ), '')
\gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'staging') \gexec
