"""clean-db: every table is empty afterwards, and the schema is unchanged."""

from __future__ import annotations

from support.databases import Database
from support.run import CLEAN, ROLLBACK


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


def test_role_without_rights_is_refused_before_any_question(direct: Database) -> None:
    role = f"ordinary_{direct.name}"
    direct.execute(
        f"CREATE ROLE {role} LOGIN CREATEDB PASSWORD 'x';"
        'ALTER TABLE region_info RENAME TO "region (old) info"'
    )
    direct.server.execute(f"CREATE DATABASE assets_previous_{direct.key()} OWNER {role}")
    user = {"TB_POSTGRES_USER": role, "TB_POSTGRES_PASSWORD": "x"}
    for script, refused in (
        (CLEAN, "cannot read the database: permission denied for table region (old) info; the"),
        (ROLLBACK, "may not rename databases; the database is unchanged"),
    ):
        run = direct.checkout.run_on_terminal(script, **user)
        assert run.status == 1, run
        assert f"user '{role}' {refused}" in run.err
        assert "Type yes" not in run.err
    direct.server.execute(f"DROP DATABASE assets_previous_{direct.key()}", f"DROP ROLE {role}")


def test_tables_of_extensions_keep_their_rows(direct: Database) -> None:
    direct.execute("CREATE TABLE theirs AS SELECT 1 AS n; ALTER EXTENSION plpgsql ADD TABLE theirs")
    run = direct.checkout.run(CLEAN, CLEAN_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert direct.execute("SELECT count(*) FROM theirs") == [(1,)]
    assert direct.execute("SELECT count(*) FROM spec_info") == [(0,)]


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


def test_materialized_views_are_empty_too(direct: Database) -> None:
    direct.execute("CREATE MATERIALIZED VIEW totals AS SELECT id FROM spec_info")
    run = direct.checkout.run(CLEAN, "-y")
    assert run.status == 0, run
    assert direct.execute("SELECT count(*) FROM totals") == [(0,)]


def test_view_that_could_not_be_refreshed_is_a_warning(direct: Database) -> None:
    direct.execute(
        "CREATE MATERIALIZED VIEW ratio AS SELECT 1 / count(*) FROM spec_info;"
        "CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS n WITH NO DATA"
    )
    run = direct.checkout.run(CLEAN, "-y")
    assert run.status == 3, run
    assert "all tables are empty, but could not refresh public.ratio: division by zero" in run.err
    assert direct.execute("SELECT count(*) FROM spec_info") == [(0,)]
    query = "SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated"
    assert direct.execute(query) == [("unfilled",)]
