-- Runs :statements, SQL that pg_restore has made of an archive. The server gets it whole: psql
-- would take commands from it, and EXECUTE refuses what would end the transaction.
SELECT set_config('assets.statements', :'statements', true) \g /dev/null
DO 'BEGIN EXECUTE current_setting(''assets.statements''); END';
