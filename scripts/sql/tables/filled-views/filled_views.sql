-- The materialized views that are filled, each with its place in an order in which they can be
-- refreshed: the number of materialized views that it reads, directly or by way of other views.
-- A refresh of one that reads an unfilled view would fail.
(
    WITH RECURSIVE direct (reader, source) AS (
        SELECT ev_class, refobjid
        FROM pg_rewrite JOIN pg_depend ON classid = 'pg_rewrite'::regclass
                                          AND objid = pg_rewrite.oid
        WHERE refclassid = 'pg_class'::regclass AND refobjid <> ev_class
    ),
    reads (reader, source) AS (
        SELECT reader, source FROM direct JOIN pg_class ON oid = reader WHERE relkind = 'm'
        UNION
        SELECT reads.reader, direct.source FROM reads JOIN direct ON direct.reader = reads.source
    )
    SELECT pg_class.oid::regclass AS name, count(sources.oid) AS place,
           coalesce(bool_and(sources.relispopulated), true) AS is_refreshable
    FROM pg_class
         LEFT JOIN (reads JOIN pg_class AS sources
                          ON sources.oid = source AND sources.relkind = 'm')
         ON reader = pg_class.oid
    WHERE pg_class.relkind = 'm' AND pg_class.relispopulated
      AND pg_class.relnamespace <> 'pg_catalog'::regnamespace
    GROUP BY pg_class.oid)
