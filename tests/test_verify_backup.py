"""verify-backup: a backup is read and restored, and the live database plays no part."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from support.backups import manifest_of, remove_manifest, with_checksum
from support.databases import Database, broken_backup
from support.fakes import without_python
from support.run import BACKUP, VERIFY, Checkout
from support.sampling import only_with_all

LEVELS = ["hash", "read", "restore"]


def verified(out: str) -> list[str]:
    """Return the levels that the result names."""
    return re.findall(r"^(\w+) +ok in \d+ s$", out, re.MULTILINE)


def remembered(path: Path) -> tuple[str, str]:
    """Return the level and the result of the last verification."""
    line = path.with_name(f"{path.name}.verified").read_text()
    return tuple(line.split("\t")[1:3])


@pytest.mark.parametrize("backend", ["direct", "docker"])
def test_each_level_includes_those_before_it(request: pytest.FixtureRequest, backend: str) -> None:
    database = request.getfixturevalue(backend)
    path = database.sample_backup()
    database.execute("DROP TABLE pricing_info")
    before = database.content()
    for count, level in enumerate(LEVELS, start=1):
        run = database.checkout.run("make", "verify-backup", f"FILE={path}", f"LEVEL={level}")
        assert run.status == 0 and verified(run.out) == LEVELS[:count], run
        assert f" (level {level}): 10 tables, 4,701 rows" in run.err
        assert remembered(path) == (level, "ok")
    assert database.content() == before
    assert database.left_behind() == []


def test_changed_byte_fails_the_hash(direct: Database) -> None:
    path = direct.sample_backup()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    run = direct.checkout.run(VERIFY)
    assert run.status == 1 and run.out == "", run
    assert len(run.errors) == 1 and "is damaged" in run.err
    assert remembered(path) == ("hash", "failed")


def test_bytes_after_the_end_fail_the_hash_and_a_restore_warns(direct: Database) -> None:
    path = direct.sample_backup()
    with path.open("ab") as file:
        file.write(b"x")
    run = direct.checkout.run(VERIFY)
    assert run.status == 1 and run.out == "" and "is damaged" in run.errors[0], run
    assert remembered(path) == ("hash", "failed")
    run = direct.restore("--dry-run", path)
    warning = f"warning: unexpected bytes after the archive in '{path}' are ignored"
    assert run.status == 0 and warning in run.err, run


def test_second_copy_of_the_file_behind_it_fails_the_hash(direct: Database) -> None:
    """It ends with the same manifest."""
    path = direct.sample_backup()
    path.write_bytes(path.read_bytes() * 2)
    run = direct.checkout.run(VERIFY, "--level", "hash")
    assert run.status == 1 and "unexpected bytes after the archive" in run.errors[0], run


def test_backup_that_does_not_load_fails_the_restore(direct: Database) -> None:
    run = direct.checkout.run(VERIFY, broken_backup(direct), RESTORE_TRUST="yes")
    assert run.status == 1 and verified(run.out) == ["read"], run
    assert len(run.errors) == 1 and "could not load the backup" in run.err
    assert direct.left_behind() == []


def test_other_rows_than_the_manifest_says_fail_the_restore(direct: Database) -> None:
    path = direct.sample_backup()
    info = manifest_of(path)
    lines = info.read_text().splitlines(keepends=True)
    data = path.read_bytes()[: int(re.search(r"^bytes: (\d+)$", "".join(lines), re.M)[1])]
    path.write_bytes(data)  # without the manifest in it
    kept = [line for line in lines if not line.startswith(("manifest: ", "signature: "))]
    changed = re.sub(r"^\d+ (\d+ public\.pricing_info)$", r"7 \1", "".join(kept), flags=re.M)
    info.write_text(with_checksum(changed))
    run = direct.checkout.run(VERIFY)
    assert run.status == 1 and verified(run.out) == LEVELS[:2], run
    assert remembered(path) == ("restore", "failed")
    assert "differs from the manifest: public.pricing_info" in run.err


def test_untrusted_backup_is_audited(direct: Database) -> None:
    direct.execute("CREATE FUNCTION evil() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
    path = direct.backed_up()
    direct.checkout.key.unlink()
    run = direct.checkout.run(VERIFY, path)
    assert run.status == 1 and verified(run.out) == LEVELS[:2], run
    assert "evil" in run.err
    assert direct.left_behind() == []
    run = direct.checkout.run(VERIFY, "--trust", path)
    assert run.status == 0 and verified(run.out) == LEVELS, run


def test_data_only_backup_is_loaded_into_the_live_schema(direct: Database) -> None:
    path = direct.checkout.path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    run = direct.checkout.run(VERIFY, path)
    assert run.status == 0 and verified(run.out) == LEVELS, run
    assert direct.left_behind() == []


def test_backup_without_a_manifest_is_read_and_loaded(direct: Database) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    run = direct.checkout.run(VERIFY)
    assert run.status == 0 and verified(run.out) == LEVELS[1:], run
    assert "no manifest found" in run.err and "there is no manifest to compare with" in run.err


@pytest.mark.python
def test_private_server_is_used_where_there_is_none(direct: Database) -> None:
    direct.sample_backup()
    nowhere = {"ASSETS_PG_BACKEND": "auto", "CONTAINER_CLI": "no-such-program"}
    nowhere |= {"TB_POSTGRES_ENDPOINT": "", "TB_POSTGRES_CONTAINER": ""}
    run = direct.checkout.run(VERIFY, **nowhere)
    assert run.status == 0 and verified(run.out) == LEVELS, run
    assert "using a private server" in run.err
    direct.checkout.remove_venv()
    run = direct.checkout.run(VERIFY, **nowhere)
    assert run.status == 1, run
    assert len(run.errors) == 1 and "the private server is not installed" in run.err
    assert "make demo" in run.err
    run = direct.checkout.run(VERIFY, "--json", **nowhere)
    assert run.status == 1 and "is not installed" in json.loads(run.out)["error"]["message"], run
    for options in ((), ("--json",)):
        run = direct.checkout.run(VERIFY, *options, **nowhere, **without_python(direct.checkout))
        assert (
            run.status == 1
            and "a private server needs Python" in run.errors[0]
            and "make up" in run.err
        ), run
    assert "needs Python" in json.loads(run.out)["error"]["message"]


@only_with_all
@pytest.mark.python
def test_trust_holds_on_a_private_server(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("CREATE VIEW evil AS SELECT 1 AS one")
    assert direct.backup(path, TB_ASSETS_KEY_FILE=os.devnull).status == 0
    run = direct.checkout.run(VERIFY, "--private", "--trust", path)
    assert run.status == 0 and verified(run.out) == LEVELS, run


@only_with_all
@pytest.mark.python
def test_data_only_backup_needs_a_server_with_tables(direct: Database) -> None:
    path = direct.checkout.path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    run = direct.checkout.run(VERIFY, "--private", path)
    assert run.status == 1, run
    assert "cannot load a data-only backup into a private server" in run.errors[0], run


def test_links_to_endless_files_are_not_read(direct: Database) -> None:
    path = direct.sample_backup()
    path.with_name("assets.dump.gz.verified").symlink_to("/dev/zero")
    direct.checkout.named_backups.mkdir(parents=True, exist_ok=True)
    (direct.checkout.named_backups / "a.dump.gz.info").symlink_to("/dev/zero")
    run = direct.checkout.run(VERIFY, "--level", "hash", path, timeout=20)
    assert run.status == 0, run
    run = direct.checkout.run(
        BACKUP, timeout=20, TB_ASSETS_KEY_FILE=str(direct.checkout.home / "other")
    )
    assert run.status == 0 and "created the key" in run.err, run


def test_named_server_that_does_not_answer_is_an_error(direct: Database) -> None:
    path = direct.sample_backup()
    run = direct.checkout.run(VERIFY, TB_POSTGRES_ENDPOINT="127.0.0.1:1")
    assert run.status == 1 and verified(run.out) == ["hash"], run
    assert not path.with_name("assets.dump.gz.verified").exists()
    assert len(run.errors) == 1


def test_unknown_level_is_a_usage_error(checkout: Checkout) -> None:
    for arguments in (("--level", "deep"), ("--level",)):
        run = checkout.run(VERIFY, *arguments)
        assert run.status == 2 and "--level" in run.err, run


def test_success_at_a_lower_level_keeps_the_result_of_a_higher_one(direct: Database) -> None:
    path = direct.sample_backup()
    for level, expected in (
        ("hash", ("hash", "ok")),
        ("restore", ("restore", "ok")),
        ("hash", ("restore", "ok")),
    ):
        run = direct.checkout.run(VERIFY, "--quiet", "--level", level)
        assert (run.status, run.out, run.err) == (0, "", ""), run
        assert remembered(path) == expected


def test_result_that_could_not_be_written_is_no_failed_verification(direct: Database) -> None:
    path = direct.sample_backup()
    assert direct.checkout.run(VERIFY).status == 0
    run = direct.checkout.run("sh", "-c", f"{VERIFY} --level hash >/dev/full")
    assert run.status == 1 and "could not write the result" in run.err, run
    assert remembered(path) == ("restore", "ok")


def test_limit_that_is_too_low_is_no_failed_verification(direct: Database) -> None:
    path = direct.sample_backup()
    assert direct.checkout.run(VERIFY).status == 0
    run = direct.checkout.run(VERIFY, RESTORE_MAX_BYTES="1000")
    assert run.status == 1 and "unpacks to more than" in run.err, run
    assert remembered(path) == ("restore", "ok")


def test_hash_needs_a_manifest(direct: Database) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    run = direct.checkout.run(VERIFY, "--level", "hash", path)
    assert run.status == 1 and "there is no manifest" in run.err, run
    assert "--level read" in run.err and run.out == ""
    run = direct.checkout.run(VERIFY, path, RESTORE_TRUST="yes")
    assert run.status == 0 and verified(run.out) == ["read", "restore"], run


def test_live_column_of_another_type_is_no_fault_of_the_backup(direct: Database) -> None:
    path = direct.checkout.path / "rows.dump.gz"
    assert direct.backup("--data-only", path).status == 0
    direct.execute("ALTER TABLE pricing_info ALTER COLUMN price TYPE real")
    run = direct.checkout.run(VERIFY, path)
    assert run.status == 1 and "differs from the manifest" in run.err, run
    assert not path.with_name(f"{path.name}.verified").exists()
