-- What follows sees one state of the database; the transaction ends with the session.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
