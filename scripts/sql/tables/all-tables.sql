-- All tables but partitions, as choose-tables.sql takes them. Needs tables/user-tables/.
SELECT name FROM :user_tables AS user_tables WHERE NOT relispartition;
