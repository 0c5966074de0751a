"""PostgreSQL 14 to 18: a round trip on each, and from each to the next; other client programs.

A sample of the versions by default, each of them with TEST_ALL=yes (make faults).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from support.databases import SAMPLE, Database, broken_backup, database_of_role
from support.kinds import create_kinds, drop_kinds, everything
from support.run import BACKUP, RESTORE, Checkout
from support.sampling import ALL, only_with_all
from support.servers import Container, started_container

from helpers.demo.private_server import packaged_bin_dir

DIFF, VERIFY = "./scripts/diff-backup.sh", "./scripts/verify-backup.sh"

pytestmark = pytest.mark.xdist_group("versions")  # one worker starts the containers
VERSIONS = ["14", "15", "16", "17", "18"]


@pytest.fixture(scope="module")
def majors(container: Container) -> Iterator[dict[str, Container]]:
    """A running container of each major version."""
    with (
        started_container("14") as of_14,
        started_container("15") as of_15,
        started_container("17") as of_17,
        started_container("18") as of_18,
    ):
        yield {"14": of_14, "15": of_15, "16": container, "17": of_17, "18": of_18}


@pytest.mark.parametrize("version", VERSIONS if ALL else ["14"])
def test_round_trip_on_each_version_and_on_to_the_next(
    majors: dict[str, Container], checkout: Checkout, tmp_path: Path, version: str
) -> None:
    path = tmp_path / "assets.dump.gz"
    database = Database(majors[version], checkout)
    database.create()
    rows = {**database.content(), "schema": ""}
    before = database.content()
    assert database.backup(path).status == 0
    database.execute("DELETE FROM pricing_info")
    run = database.restore(path)
    assert run.status == 0, run
    assert database.content() == before
    database.drop()
    for later in VERSIONS[VERSIONS.index(version) + 1 :][:1]:
        upgraded = Database(majors[later], checkout)
        run = upgraded.restore(path)
        assert run.status == 0, run
        assert "verifying the data against the manifest" in run.err
        assert {**upgraded.content(), "schema": ""} == rows
        assert upgraded.left_behind() == []
        upgraded.drop()


@pytest.mark.parametrize(("version", "later"), [*pairwise(VERSIONS)] if ALL else [("16", "17")])
def test_upgraded_server_has_nothing_new_to_back_up(
    majors: dict[str, Container], checkout: Checkout, version: str, later: str
) -> None:
    for each in (version, later):
        database = Database(majors[each], checkout)
        database.create_empty()
        for name in ("schema", "rows"):
            database.execute(SAMPLE.with_name(f"tumblebug-{name}.sql").read_text())
        run = database.backup(FORCE="")
        assert run.status == 0, run
        database.drop()
    assert "nothing changed since" in run.err, run


@pytest.mark.parametrize("version", VERSIONS if ALL else ["18"])
def test_objects_of_every_kind_are_restored(
    majors: dict[str, Container], checkout: Checkout, version: str
) -> None:
    database = Database(majors[version], checkout)
    database.create()
    role = create_kinds(database)
    before = everything(database)
    assert database.backup(BACKUP_COMPRESSION="smallest").status == 0
    database.execute("DROP TABLE kinds.secret, kinds.many CASCADE; SELECT nextval('kinds.used')")
    run = database.restore("--schema", "backup")
    assert run.status == 0, run
    assert everything(database) == before
    database.checkout.key.unlink()
    run = database.restore("--schema", "backup")
    assert run.status == 1 and "the database is unchanged" in run.err, run
    assert everything(database) == before
    assert database.left_behind() == []
    drop_kinds(database, role)


def test_archive_of_a_newer_version_says_what_to_do(
    majors: dict[str, Container], checkout: Checkout, tmp_path: Path
) -> None:
    path = tmp_path / "assets.dump.gz"
    newer = Database(majors["18"], checkout)
    newer.create()
    assert newer.backup(path).status == 0
    newer.drop()
    older = Database(majors["14"], checkout)
    older.create()
    before = older.content()
    run = older.restore(path)
    assert run.status == 1, run
    assert f"error: '{path}' (from PostgreSQL 18." in run.err, run
    assert "was made by a newer pg_dump: pg_restore 14 on container" in run.err, run
    assert "hint: restore it to a server of that version or newer" in run.err, run
    assert "docs/how-to.md says how to upgrade" in run.err, run
    assert older.content() == before
    assert older.left_behind() == []
    older.drop()


@pytest.fixture
def ordinary_on_14(majors: dict[str, Container], checkout: Checkout) -> Iterator[Database]:
    """CB-Tumblebug's tables on a version where schema public belongs to a superuser."""
    yield from database_of_role(majors["14"], checkout, "CREATEDB")


@only_with_all
def test_rights_on_schema_public_that_are_lost_are_named(ordinary_on_14: Database) -> None:
    database = ordinary_on_14
    role = database.checkout.environment["TB_POSTGRES_USER"]
    database.execute(
        f"REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO {role}"
    )
    run = database.backup(BACKUP_COMPRESSION="smallest")
    assert run.status == 0 and "without a restore test, because user" in run.err, run
    for options in (("--data-only",), ()):
        run = database.restore(*options)
        assert run.status == (3 if options else 0) and "will own all objects" not in run.err, run
        assert "some grants were skipped: no privileges could be revoked for" in run.err, run
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relname LIKE '%_infos'"
    assert database.execute(owners) == [(role,)]


@dataclass
class Remote(Container):
    """A server in a container, which the scripts reach with client programs of version 17."""

    def environment(self) -> dict[str, str]:
        return {
            "ASSETS_PG_BACKEND": "direct",
            "PG_BINDIR": str(packaged_bin_dir()),
            "TB_POSTGRES_ENDPOINT": f"{self.address}:5432",
        }


def remote(majors: dict[str, Container], version: str) -> Remote:
    return Remote(majors[version].name, majors[version].address)


@only_with_all
def test_newer_client_programs_back_up_and_restore(
    majors: dict[str, Container], checkout: Checkout, tmp_path: Path
) -> None:
    database = Database(remote(majors, "14"), checkout)
    database.create()
    restore_in_modes(database, [[]], tmp_path)
    database.drop()


@pytest.mark.skipif(not ALL, reason="TEST_ALL=yes runs it")
def test_newer_client_programs_restore_in_every_mode(
    container: Container, checkout: Checkout, tmp_path: Path
) -> None:
    database = Database(Remote(container.name, container.address), checkout)
    database.create()
    restore_in_modes(database, [["--data-only"], ["--table", "image_info"]], tmp_path)
    role = f"{database.name}_reader"
    database.execute(f"CREATE ROLE {role}; GRANT SELECT ON image_info TO {role}")
    database.execute(
        "CREATE MATERIALIZED VIEW providers AS SELECT count(*) AS n FROM public.spec_info"
    )
    before = database.content()
    run = database.restore("--keep-going", database.backed_up())
    assert run.status == 0, run
    assert "transaction_timeout" not in run.err and "skipped" not in run.err, run
    assert database.content() == before
    database.execute(f"REVOKE ALL ON image_info FROM {role}; DROP ROLE {role}")
    database.drop()


def restore_in_modes(database: Database, modes: list[list[str]], tmp_path: Path) -> None:
    """Restore a backup with each mode's options, trusted and untrusted."""
    before = database.content()
    path = database.backed_up()
    for number, environment in enumerate([{}, {"TB_ASSETS_KEY_FILE": str(tmp_path / "key")}]):
        for options in modes:
            database.execute("DELETE FROM image_info")
            run = database.restore(*options, path, **environment)
            assert run.status == 0, run
            assert ("not signed with your key" in run.err) == bool(number), run
            assert "transaction_timeout" not in run.err, run
            assert database.content() == before
    assert database.left_behind() == []


def test_newer_client_programs_refuse_a_broken_backup(
    container: Container, checkout: Checkout
) -> None:
    database = Database(Remote(container.name, container.address), checkout)
    database.create()
    path = broken_backup(database)
    before = database.content()
    run = database.restore("--trust", path)
    assert run.status == 1, run
    assert "could not load the backup" in run.err and "public.f() does not exist" in run.err
    assert database.content() == before
    assert database.left_behind() == []
    database.drop()


def test_client_programs_that_are_too_old_are_refused(
    majors: dict[str, Container], checkout: Checkout
) -> None:
    older = Database(remote(majors, "17"), checkout)
    older.create()
    path = older.backed_up()
    older.drop()
    before = path.read_bytes()
    database = Database(remote(majors, "18"), checkout)
    database.create()
    for script in (BACKUP, RESTORE, VERIFY, DIFF):
        run = checkout.run(script, path)
        assert run.status == 1, run
        assert "pg_dump 17 is too old for server" in run.err
        assert "install the client programs of PostgreSQL 18" in run.err
    assert path.read_bytes() == before
    assert database.left_behind() == []
    database.drop()
