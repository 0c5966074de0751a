"""A backup that this machine made comes back, whatever its database does by itself."""

from __future__ import annotations

import pytest
from ground import Database

MODES = {"full": [], "data-only": ["--data-only"], "tables": ["--table", "noted"]}


def create_noting_event_trigger(database: Database, event: str, filled: str = "") -> None:
    """Create an event trigger that writes a row into the table ``noted`` at each such event."""
    database.execute(
        "CREATE TABLE noted (who text); INSERT INTO noted VALUES ('the first');"
        "CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO public.noted VALUES (session_user); END $$;"
        f"{filled};"
        f"CREATE EVENT TRIGGER note ON {event} EXECUTE FUNCTION note();"
        "ALTER EVENT TRIGGER note ENABLE ALWAYS"
    )


@pytest.mark.parametrize("mode", MODES)
def test_login_event_trigger_that_writes_changes_no_restore(direct: Database, mode: str) -> None:
    create_noting_event_trigger(direct, "login")
    path = direct.backed_up()
    run = direct.restore(*MODES[mode], path)
    assert run.status == 0, run
    noted = "SELECT who FROM noted WHERE who = 'the first' UNION ALL SELECT 'logins: ' || count(*) - 1 FROM noted"
    assert direct.execute(noted) == [("the first",), ("logins: 1",)]  # the login of this very query


def test_untrusted_backup_is_loaded_beside_a_login_event_trigger(direct: Database) -> None:
    path = direct.backed_up()
    create_noting_event_trigger(direct, "login")
    for mode in ([], ["--data-only"], ["--table", "image_info"]):
        run = direct.restore(*mode, path, TB_ASSETS_KEY_FILE=str(direct.checkout.folder / "key"))
        assert run.status == 0, run
        assert "not made by this machine" in run.err


@pytest.mark.parametrize("mode", ["full", "data-only"])
def test_event_trigger_that_writes_does_not_see_the_restore_fill_views(docker: Database, mode: str) -> None:
    create_noting_event_trigger(
        docker, "ddl_command_end", "CREATE MATERIALIZED VIEW clouds AS SELECT count(*) FROM region_info"
    )
    docker.execute("ALTER EVENT TRIGGER note ENABLE")
    run = docker.restore(*MODES[mode], docker.backed_up(), RESTORE_JOBS="1")  # in the order of the list
    assert run.status == 0, run
    assert docker.execute("SELECT who FROM noted") == [("the first",)]
