-- The routines of the database, and whether one is unsafe during a load; see admit-role.sql.
(
    SELECT pg_proc.oid::regprocedure AS name, prosecdef AS is_definer,
           lanname NOT IN ('internal', 'c') AND NOT lanpltrusted
           AND EXISTS (SELECT FROM aclexplode(coalesce(proacl, acldefault('f', proowner)))
                       WHERE grantee = 0) AS is_unsafe
    FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
         JOIN pg_language ON pg_language.oid = prolang
    WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema')
