-- Prints the differences as a table of 79 columns at most. Needs compare/counts/.
WITH :counts,
lines AS (
    SELECT 2 AS section, name, CASE WHEN any_provider THEN NULL ELSE provider END AS provider,
           CASE WHEN any_provider THEN name ELSE '  ' || provider END AS title,
           added, removed, changed, dearer, cheaper
    FROM texts
    WHERE NOT any_table AND (any_provider OR has_providers)
    UNION ALL
    SELECT 1, NULL, NULL, 'table', 'added', 'removed', 'changed', 'price up', 'price down'
    WHERE EXISTS (SELECT FROM texts)
    UNION ALL
    SELECT 3, NULL, NULL, 'total', added, removed, changed, dearer, cheaper
    FROM texts
    WHERE any_table AND any_provider
),
widths AS (
    SELECT max(length(title)) AS title, max(length(added)) + 2 AS added,
           max(length(removed)) + 2 AS removed, max(length(changed)) + 2 AS changed,
           max(length(dearer)) + 2 AS dearer, max(length(cheaper)) + 2 AS cheaper
    FROM lines
)
SELECT rpad(CASE WHEN length(lines.title) > most THEN left(lines.title, most - 3) || '...'
                 ELSE lines.title END, least(widths.title, most))
       || lpad(lines.added, widths.added) || lpad(lines.removed, widths.removed)
       || lpad(lines.changed, widths.changed) || lpad(lines.dearer, widths.dearer)
       || lpad(lines.cheaper, widths.cheaper)
FROM lines, widths,
     LATERAL (SELECT 79 - widths.added - widths.removed - widths.changed - widths.dearer
                     - widths.cheaper AS most) AS most
ORDER BY section, name COLLATE "C", provider COLLATE "C" NULLS FIRST;
