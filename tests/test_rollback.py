"""rollback-assets: the database that the last restore kept is restored."""

from __future__ import annotations

from support.databases import Database
from support.run import ROLLBACK


def test_rollback_restores_the_previous_database_and_is_undone(
    direct: Database,
) -> None:
    direct.checkout.environment["RESTORE_SCHEMA"] = "backup"
    path = direct.sample_backup()
    new = direct.content()
    direct.execute("DELETE FROM pricing_info; CREATE TABLE later (n int)")
    old = direct.content()
    run = direct.restore(path, RESTORE_KEEP_PREVIOUS="yes")
    assert run.status == 0, run
    assert "make rollback-assets" in run.err
    for expected in (old, new):
        run = direct.checkout.run("make", "rollback-assets")
        assert run.status == 0, run
        assert direct.content() == expected
    assert direct.restore(path).status == 0  # without keeping: the kept one stays for a rollback
    assert [name.startswith("assets_previous_") for name in direct.databases()] == [True]
    direct.execute("DELETE FROM spec_info WHERE false; CREATE TABLE even_later (n int)")
    latest = direct.content()
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    run = direct.checkout.run("make", "rollback-assets")
    assert run.status == 0 and direct.content() == latest, run


def test_rollback_without_a_previous_database_says_so(direct: Database) -> None:
    run = direct.checkout.run(ROLLBACK)
    assert run.status == 1, run
    assert "there is no previous database" in run.err and "RESTORE_KEEP_PREVIOUS=yes" in run.err
