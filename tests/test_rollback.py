"""rollback-assets: the database that the last restore kept is restored."""

from __future__ import annotations

import re
import shlex

import pytest
from support.databases import Database
from support.fakes import fake
from support.run import CONFIRMED, ROLLBACK
from support.sampling import only_with_all, sampled
from support.waiting import until


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
        run = direct.checkout.run("make", "rollback-assets", **CONFIRMED)
        assert run.status == 0, run
        assert direct.content() == expected
        assert "restart CB-Tumblebug's server" in run.err


@only_with_all
def test_previous_database_stays_until_the_next_one_is_kept(direct: Database) -> None:
    direct.checkout.environment["RESTORE_SCHEMA"] = "backup"
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info; CREATE TABLE later (n int)")
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    run = direct.restore(path)
    assert run.status == 0 and re.search(r"still the one kept 20.* UTC", run.err), run
    assert [name.startswith("assets_previous_") for name in direct.databases()] == [True]
    direct.execute("DELETE FROM spec_info WHERE false; CREATE TABLE even_later (n int)")
    latest = direct.content()
    for option in ("--dry-run", "--yes"):
        run = direct.restore(path, option, RESTORE_KEEP_PREVIOUS="yes")
        dropped = r"previous database, kept 20.* UTC \(11 tables, [\d,]+ rows\), will be dropped\n"
        assert run.status == 0 and re.search(dropped, run.err), run
    assert re.search("dropped the previous database kept 20.* UTC", run.err)
    run = direct.checkout.run("make", "rollback-assets", **CONFIRMED)
    assert run.status == 0 and direct.content() == latest, run


def test_rollback_without_a_previous_database_says_so(direct: Database) -> None:
    run = direct.checkout.run(ROLLBACK)
    assert run.status == 1, run
    assert "there is no previous database" in run.err and "RESTORE_KEEP_PREVIOUS=yes" in run.err


def test_rollback_shows_both_sides_and_asks(direct: Database) -> None:
    direct.execute(f"COMMENT ON DATABASE {direct.name} IS 'mine'")
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{}'"
    (previous,) = direct.databases()
    kept = re.fullmatch(r"mine\n\[kept (.* UTC)\]", direct.execute(comment.format(previous))[0][0])
    assert kept
    for answer, status, rows in ((b"no\n", 1, 960), (b"yes\n", 0, 0)):
        run = direct.checkout.run_on_terminal(ROLLBACK, answer=answer)
        assert run.status == status, run
        assert f"database '{direct.name}' of server" in run.err
        assert re.search(
            rf"\n  now         \d+ tables, [\d,]+ rows\r\n"
            rf"  afterwards  \d+ tables, [\d,]+ rows, kept {kept[1]}\r\n",
            run.err,
        )
        assert direct.execute("SELECT count(*) FROM pricing_info") == [(rows,)]
        assert direct.execute(comment.format(direct.name)) == [("mine",)]


@only_with_all
def test_rollback_without_a_live_database_promises_no_undo(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    direct.server.execute(f"DROP DATABASE {direct.name} WITH (FORCE)")
    run = direct.checkout.run(ROLLBACK, "--yes")
    assert run.status == 0 and direct.content() == before, run
    assert "does not exist; the previous one will take its place\n  afterwards  10 tab" in run.err
    assert run.err.endswith(f"\nrolled back; there was no database '{direct.name}' to keep\n"), run
    assert "restart" not in run.err and "unknown" not in run.err
    assert direct.databases() == set()


def test_previous_database_is_dropped_on_request(direct: Database) -> None:
    path = direct.sample_backup()
    before = direct.content()
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    run = direct.checkout.run_on_terminal(ROLLBACK, "--drop", answer=b"no\n")
    assert run.status == 1 and "cancelled; the previous database is unchanged" in run.err, run
    assert len(direct.databases()) == 1
    run = direct.checkout.run(ROLLBACK, "--drop", "--yes")
    assert run.status == 0, run
    assert re.search(r"will be dropped\n  10 tables, 4,701 rows, [\d.]+ MB, kept 20", run.err)
    assert re.search(r"\ndropped the previous database: [\d.]+ MB\n$", run.err), run
    assert direct.databases() == set() and direct.content() == before
    run = direct.checkout.run(ROLLBACK, "--drop")
    assert run.status == 0 and run.err == "there is no previous database\n", run


@only_with_all
def test_previous_database_of_another_owner_is_refused(direct: Database) -> None:
    assert direct.restore(direct.sample_backup(), RESTORE_KEEP_PREVIOUS="yes").status == 0
    role = f"other_{direct.name}"
    (previous,) = direct.databases()
    direct.server.execute(f"CREATE ROLE {role}", f"ALTER DATABASE {previous} OWNER TO {role}")
    run = direct.checkout.run(ROLLBACK, "-y")
    assert run.status == 1 and f"the previous database belongs to {role}, not to" in run.err, run
    (statement,) = re.findall("run in psql: (ALTER DATABASE .*)", run.err)
    direct.server.execute(statement)
    assert direct.checkout.run(ROLLBACK, "-y").status == 0
    (previous,) = direct.databases()
    direct.server.execute(f"ALTER DATABASE {previous} OWNER TO {role}")
    assert direct.checkout.run(ROLLBACK, "--drop", "-y").status == 0
    direct.server.execute(f"DROP ROLE {role}")


@only_with_all
@pytest.mark.parametrize("reason", sampled(["--keep-going", "untrusted"], 1))
def test_replaced_database_is_kept_if_equality_is_not_verified(
    direct: Database, reason: str
) -> None:
    path = direct.sample_backup()
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    earlier = direct.databases()
    options = ("--keep-going",) if reason == "--keep-going" else ()
    if not options:
        direct.checkout.key.write_text("0" * 64)
    run = direct.restore(*options, path, RESTORE_KEEP_PREVIOUS="yes")
    assert run.status == 0 and "kept the replaced database" in run.err, run
    assert "stays" not in run.err and direct.databases() == earlier


def test_comment_of_a_user_is_not_taken_for_the_time_of_a_previous_database(
    direct: Database,
) -> None:
    direct.server.execute(f"COMMENT ON DATABASE {direct.name} IS 'mine [kept by Ann]'")
    assert direct.restore(direct.sample_backup()).status == 0
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{}'"
    assert direct.execute(query.format(direct.name)) == [("mine [kept by Ann]",)]


@only_with_all
def test_client_of_the_previous_database_does_not_stop_a_restore(direct: Database) -> None:
    path = direct.sample_backup()
    assert direct.restore(path, RESTORE_KEEP_PREVIOUS="yes").status == 0
    (previous,) = direct.databases()
    direct.execute("DELETE FROM pricing_info")
    with direct.server.connect(previous):
        run = direct.restore(path, RESTORE_KEEP_PREVIOUS="yes")
    assert run.status == 0 and "dropped the previous database kept" in run.err, run


LOST = '"$REAL" "$@"; echo "psql: error: connection to server was lost" >&2; exit 2'


@only_with_all
@pytest.mark.parametrize("client", sampled([LOST, "exit 0"], 1))
def test_rollback_knows_whether_it_has_swapped(direct: Database, client: str) -> None:
    """Its client loses the connection after the swap, or does nothing and reports success."""
    direct.backed_up()
    old = direct.content()
    direct.execute("DELETE FROM pricing_info")
    new = direct.content()
    assert direct.restore(RESTORE_KEEP_PREVIOUS="yes").status == 0
    assert direct.content() == old
    once = direct.checkout.home / "once"
    psql = f"""case " $* " in *" renames="*)
        [ -e {once} ] || {{ touch {once}; {client}; }} ;; esac
        exec "$REAL" "$@\""""
    run = direct.checkout.run(ROLLBACK, **CONFIRMED, **fake(direct.checkout, psql=psql))
    assert run.status == 0 and once.exists() and direct.content() == new, run


def session_edited_by(program: str) -> str:
    """Return a psql whose session with the lock gets its SQL through this program of sed."""
    edited = f'sed -u {shlex.quote(program)} <&3 | "$REAL" "$@"'
    edited = f"exec 3<&0; {{ {edited}; }} & exec >&-; wait"  # nothing else holds standard output
    return f'case " $* " in *" -v live="*) {edited} ;; *) exec "$REAL" "$@" ;; esac'


def test_repeated_restore_keeps_what_the_first_one_has_kept(direct: Database) -> None:
    """As where a first run was killed after its swap."""
    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    keeping = {"RESTORE_KEEP_PREVIOUS": "yes"}
    assert direct.restore(path, **keeping).status == 0
    number = "SELECT oid FROM pg_database WHERE datname = current_database()"
    restored = direct.execute(number)
    for options in ((), ("--dry-run",)):
        run = direct.restore(*options, path, **keeping)
        assert run.status == 0 and "nothing to restore: database 'test_" in run.err, run
        assert direct.execute(number) == restored  # so no client's write can be lost
    run = direct.restore(path, **keeping, RESTORE_KEEP_COPY="yes")
    assert run.status == 0 and "warning: no copy is kept (RESTORE_KEEP_COPY)" in run.err, run
    direct.execute("UPDATE region_info SET latitude = 1")
    run = direct.restore("--dry-run", path, **keeping)
    assert run.status == 0 and "will be dropped" in run.err, run
    assert direct.checkout.run(ROLLBACK, "-y").status == 0
    assert direct.content() == before


@only_with_all
def test_interrupted_drop_says_that_the_database_may_be_dropped(direct: Database) -> None:
    assert direct.restore(direct.sample_backup(), RESTORE_KEEP_PREVIOUS="yes").status == 0
    psql = session_edited_by(r"s/^\\gexec$/&\nSELECT pg_sleep(3);/")
    process = direct.checkout.start(ROLLBACK, "--drop", "-y", **fake(direct.checkout, psql=psql))
    until(lambda: direct.databases() == set())
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert err.endswith("interrupted; the previous database is either unchanged or dropped\n")


def test_lost_connection_is_no_missing_database(direct: Database) -> None:
    assert direct.restore(direct.sample_backup(), RESTORE_KEEP_PREVIOUS="yes").status == 0
    psql = session_edited_by(r"s/^SELECT coalesce(substring(shobj_desc.*/\\q/")
    run = direct.checkout.run(ROLLBACK, "--drop", "-y", **fake(direct.checkout, psql=psql))
    assert run.status == 1 and "there is no previous database" not in run.err, run
    assert direct.databases()
