-- May this user end the session, a row of pg_stat_activity joined with pg_roles by usesysid? Run
-- the query after SET ROLE NONE: sessions belong to the login user, and ALTER ROLE … SET role may
-- have changed the current role.
((NOT rolsuper OR current_setting('is_superuser')::boolean)
 AND (pg_has_role(usesysid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))
