"""What keeps an existing backup: the same content, much less content, a file too large for Git."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support.backups import (
    manifest_of,
    read_pair,
    rewrite_manifest,
    separate_manifest,
    write_pair,
)
from support.databases import Database
from support.run import BACKUP
from support.sampling import sampled

GUARDED = {"FORCE": ""}
GUARDS = "scripts/lib/guards.sh"
LESS = """
    DROP TABLE every_type, "Odd ""schema""; --"."tablé 'with' $odd$ name";
    DELETE FROM pricing_info;
    DELETE FROM image_info WHERE id LIKE 'image-1%';
    DELETE FROM measured_2024 WHERE value > 28
"""
LOSSES = """  "Odd ""schema""; --"."tablé 'with' $odd$ name": 7 rows -> gone
  every_type: 3 rows -> gone
  image_info: 2,000 -> 889 rows
  pricing_info: 960 -> 0 rows
"""


def created(path: Path) -> str:
    lines = manifest_of(path).read_text().splitlines()
    return next(line.removeprefix("created: ") for line in lines if line.startswith("created: "))


@pytest.mark.parametrize("compression", ["small", "smallest"])
def test_unchanged_database_keeps_the_existing_backup(direct: Database, compression: str) -> None:
    path = direct.checkout.default_backup
    assert direct.backup(path, BACKUP_COMPRESSION=compression).status == 0
    earlier = read_pair(path)
    direct.execute("UPDATE spec_info SET v_cpu = v_cpu")  # other places, the same rows
    run = direct.backup(path, BACKUP_COMPRESSION=compression, **GUARDED)
    assert run.status == 0, run
    end = f"nothing changed since {created(path)}; the existing backup is unchanged"
    assert run.err.splitlines()[-2:] == [end, "to write a new one anyway, run this with FORCE=yes"]
    assert read_pair(path) == earlier
    assert direct.left_behind() == []


def test_unchanged_database_with_a_materialized_view_keeps_the_existing_backup(
    direct: Database,
) -> None:
    direct.execute("CREATE MATERIALIZED VIEW sizes AS SELECT count(*) FROM spec_info")
    path = direct.backed_up()
    earlier = read_pair(path)
    run = direct.backup(path, **GUARDED)
    assert run.status == 0 and "nothing changed since" in run.err, run
    assert read_pair(path) == earlier


def test_backup_without_our_signature_is_always_replaced(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    direct.checkout.key.write_text("0" * 64)
    run = direct.backup(path, **GUARDED)
    assert run.status == 0 and "nothing changed" not in run.err, run
    assert read_pair(path) != earlier
    run = direct.backup(path, **GUARDED)
    assert run.status == 0 and "nothing changed" in run.err, run


def value(database: Database, _: Path) -> None:
    database.execute("UPDATE spec_info SET v_cpu = v_cpu + 1 WHERE id = 'aws+aws-region-1+1'")


def column(database: Database, _: Path) -> None:
    """The fingerprint is the same: the order of the columns' names is."""
    database.execute("ALTER TABLE spec_info RENAME v_cpu TO v_cpus")


def default(database: Database, _: Path) -> None:
    """The schema is the same by names and types."""
    database.execute("ALTER TABLE spec_info ALTER v_cpu SET DEFAULT 7")


def large_object(database: Database, _: Path) -> None:
    database.execute("SELECT lo_create(0)")


def cut_file(_: Database, path: Path) -> None:
    separate_manifest(path)
    path.write_bytes(path.read_bytes()[:-1])


def damaged_content(_: Database, path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


def rows_only(database: Database, path: Path) -> None:
    assert database.backup("--data-only", path).status == 0


CHANGES = [value, column, default, large_object, cut_file, damaged_content, rows_only]


@pytest.mark.parametrize("change", sampled(CHANGES, 4))
def test_any_difference_makes_a_new_backup(
    direct: Database, change: Callable[[Database, Path], None]
) -> None:
    path = direct.sample_backup()
    change(direct, path)
    earlier = path.read_bytes()
    run = direct.backup(path, **GUARDED)
    assert run.status == 0 and f"wrote {path}: " in run.err, run
    assert path.read_bytes() != earlier


def test_much_less_content_does_not_replace_the_existing_backup(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    direct.execute(LESS)
    for option in ((), ("--quiet",), ("--data-only",)):
        run = direct.backup(*option, path, **GUARDED)
        assert run.status == 1, run
        before = f"the new backup would hold less than '{path}', created {created(path)}:\n"
        assert f"{before}{LOSSES}error: these tables are gone or lost more" in run.err
        assert (
            "; the existing backup is unchanged\n hint: to replace it anyway, run this with FORCE"
            in run.err
        )
        assert read_pair(path) == earlier
    assert direct.left_behind() == []


def test_force_replaces_a_backup_by_one_with_less(direct: Database) -> None:
    direct.sample_backup()
    direct.execute(LESS)
    run = direct.checkout.run("make", "backup-assets", "FORCE=yes", **GUARDED)
    assert run.status == 0 and "wrote assets/assets.dump.gz: 8 tables, " in run.err, run
    run = direct.checkout.run(BACKUP, "--force", **GUARDED)
    assert run.status == 0 and "nothing changed" not in run.err, run
    assert re.search("^since the backup of .* UTC: the same rows$", run.err, re.MULTILINE)


def test_backup_says_that_the_schema_has_changed(direct: Database) -> None:
    path = direct.sample_backup()
    direct.execute("ALTER TABLE region_info DROP COLUMN latitude")
    run = direct.backup(path, **GUARDED)
    changes = "^since the backup of .*: the schema has changed, region_info changed$"
    assert run.status == 0 and re.search(changes, run.err, re.MULTILINE), run


def test_only_a_missing_or_different_info_is_written_again(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    for damage in (Path.unlink, lambda info: info.write_text("another backup's\n")):
        damage(manifest_of(path))
        inode = path.stat().st_ino
        run = direct.backup(path, **GUARDED)
        assert run.status == 0 and "nothing changed since" in run.err, run
        assert f"wrote '{manifest_of(path)}' again" in run.err
        assert read_pair(path) == earlier and path.stat().st_ino == inode
    assert direct.left_behind() == []


def test_auto_refuses_a_database_that_lost_rows(direct: Database) -> None:
    """Or else the empty backups push out the good one, when old ones are deleted."""
    assert direct.backup("auto", **GUARDED).status == 0
    other = direct.backup("-q", "auto", TB_POSTGRES_DATABASE="postgres", **GUARDED)
    no_rows = "warning: database 'postgres' has no rows; neither has this backup\n"
    assert (other.status, other.err) == (0, no_rows), other
    earlier = set(direct.checkout.named_backups.iterdir())
    direct.execute("TRUNCATE pricing_info")
    hook = {"BACKUP_ON_FAILURE": 'echo "hook: $BACKUP_ERROR"'}
    run = direct.backup("--quiet", "auto", **hook, **GUARDED)
    assert run.status == 1 and "pricing_info: 960 -> 0 rows\n" in run.err, run
    assert "; no backup was written\n hint: to write it anyway, run this with FORCE=yes" in run.err
    assert "hook: these tables are gone or lost more than a fifth" in run.err
    assert set(direct.checkout.named_backups.iterdir()) == earlier
    assert direct.backup("auto", FORCE="yes").status == 0
    run = direct.backup("auto", **GUARDED)
    assert run.status == 0 and "the same rows" in run.err, run  # as in the newest one


def test_lists_of_tables_end_after_twenty(direct: Database) -> None:
    direct.execute("".join(f"CREATE TABLE t{n} AS SELECT 1 AS n;" for n in range(30)))
    path = direct.backed_up()
    direct.execute("".join(f"DROP TABLE t{n};" for n in range(30)))
    run = direct.backup(path, **GUARDED)
    assert run.status == 1 and run.err.count(": 1 rows -> gone\n") == 20, run
    assert "\n  and 10 more\nerror: " in run.err, run
    run = direct.backup(path, FORCE="yes")
    assert run.status == 0 and run.err.count(" gone, ") == 19, run
    assert " gone and 10 more\n" in run.err, run


def another_run(database: Database) -> None:
    """It needs the lock, which an open question does not hold."""
    assert database.backup("meanwhile").status == 0


def more_losses(database: Database) -> None:
    database.execute("DELETE FROM image_info")


@pytest.mark.parametrize(
    ("answer", "meanwhile", "status", "end"),
    [
        (b"yes\n", another_run, 0, "next: git add "),
        (b"no\n", Database.key, 1, "cancelled; the existing backup is unchanged"),
        (b"yes\n", more_losses, 1, "it would now say: image_info: 2,000 -> 0 rows\r"),
    ],
)
def test_less_content_needs_a_yes_on_a_terminal(
    direct: Database, answer: bytes, meanwhile: Callable[[Database], None], status: int, end: str
) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    direct.execute("DELETE FROM pricing_info")

    run = direct.checkout.run_on_terminal(
        BACKUP, answer=answer, at_prompt=lambda _: meanwhile(direct), **GUARDED
    )
    assert run.status == status, run
    assert "pricing_info: 960 -> 0 rows" in run.err
    assert end in run.err, run
    assert (read_pair(path) == earlier) == (status != 0)
    assert direct.left_behind() == []


def test_rows_lost_during_the_run_do_not_replace_the_existing_backup(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    value(direct, path)
    snapshot = direct.checkout.path / "scripts/sql/backup/snapshot.sql"
    snapshot.write_text(f"DELETE FROM public.pricing_info;\n{snapshot.read_text()}")
    run = direct.backup(path, **GUARDED)
    assert run.status == 1 and "pricing_info: 960 -> 0 rows" in run.err, run
    assert read_pair(path) == earlier
    assert direct.left_behind() == []


def test_yes_to_some_losses_does_not_cover_others(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    direct.execute("DELETE FROM pricing_info")
    snapshot = direct.checkout.path / "scripts/sql/backup/snapshot.sql"
    snapshot.write_text(f"DELETE FROM public.image_info;\n{snapshot.read_text()}")
    run = direct.checkout.run_on_terminal(BACKUP, answer=b"yes\n", **GUARDED)
    assert run.status == 1 and "image_info: 2,000 -> 0 rows" in run.err, run
    assert read_pair(path) == earlier


def test_shared_backup_stays_small_enough_for_git(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = read_pair(path)
    value(direct, path)
    direct.checkout.edit(GUARDS, "size_to_refuse=99614720", "size_to_refuse=20000")
    direct.checkout.edit(GUARDS, "size_to_warn=52428800", "size_to_warn=10000")
    run = direct.backup(path, **GUARDED)
    assert run.status == 1, run
    assert "but assets/ accepts less than 20.0 kB: Git hosts reject files above 105 MB" in run.err
    assert read_pair(path) == earlier
    assert direct.left_behind() == []
    assert "Git hosts" not in direct.backup("elsewhere", **GUARDED).err
    direct.checkout.edit(GUARDS, "size_to_refuse=20000", "size_to_refuse=99614720")
    run = direct.backup(path, **GUARDED)
    assert run.status == 0 and ": Git hosts warn about files above 52.4 MB" in run.err, run


def test_backup_from_the_future_is_not_the_newest(direct: Database) -> None:
    assert direct.backup("auto").status == 0
    (newest,) = direct.checkout.named_backups.glob("*.dump.gz")
    future = newest.with_name("future.dump.gz")
    write_pair(future, read_pair(newest))
    text = manifest_of(future).read_text()
    rewrite_manifest(future, re.sub("created: ....", "created: 2926", text))
    direct.checkout.key.write_text("0" * 64)  # then neither of them is trusted
    direct.execute("DELETE FROM pricing_info")
    run = direct.backup("auto", FORCE="")
    assert run.status == 1 and "these tables are gone or lost" in run.errors[0], run
    assert "created 2926" not in run.err
