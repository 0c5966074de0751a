-- Refreshes each materialized view that has been filled. A view that could not be refreshed raises
-- a warning; the others are still refreshed. Needs tables/filled-views/.
SELECT format($sql$DO $$BEGIN
                       REFRESH MATERIALIZED VIEW %1$s;
                   EXCEPTION WHEN OTHERS THEN
                       RAISE WARNING 'could not refresh %%: %%', %1$L, SQLERRM;
                   END$$ $sql$, name)
FROM :filled_views AS filled_views
ORDER BY place
\gexec
