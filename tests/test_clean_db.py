"""clean-db: every table is empty afterwards, and the schema is unchanged."""

from __future__ import annotations

from support.databases import Database
from support.run import CLEAN


def test_clean_db_truncates_all_tables_and_keeps_the_schema(database: Database) -> None:
    schema = database.schema()
    run = database.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    content = database.content()
    assert content.pop("schema") == schema
    assert {rows[0][0] for rows in content.values()} == {0}
    again = database.checkout.run(CLEAN)  # without a terminal and a setting
    assert again.status == 0, again
    assert "has no rows; nothing to delete" in again.err


def test_clean_db_truncates_all_tables_or_none(direct: Database) -> None:
    before = direct.content()
    direct.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
        "CREATE TRIGGER refuse BEFORE TRUNCATE ON spec_info EXECUTE FUNCTION refuse()"
    )
    run = direct.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 1, run
    assert "the database is unchanged" in run.err
    after = direct.content()
    assert {**after, "schema": ""} == {**before, "schema": ""}
