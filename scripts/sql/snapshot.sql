-- One snapshot for the dump and for the manifest: what one proves is what the other holds.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot();
