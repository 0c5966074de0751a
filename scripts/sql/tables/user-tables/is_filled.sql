-- An expression on a row of pg_class, of a table or a partition: are its own rows compared, counted
-- and filled? Of a table whose rows move, those of the whole are. Needs rows_move.
CASE relkind WHEN 'r' THEN NOT :rows_move ELSE :rows_move AND NOT relispartition END
