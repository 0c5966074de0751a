-- The same for a table or a partition: are its own rows compared, counted and filled? Of a table
-- whose rows move, those of the whole are.
CASE relkind WHEN 'r' THEN NOT :rows_move ELSE :rows_move AND NOT relispartition END
