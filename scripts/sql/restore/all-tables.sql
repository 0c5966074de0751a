-- Sets :affected for move-sequences.sql: all tables.
SELECT $$SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')$$ AS affected \gset
