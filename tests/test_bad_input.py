"""Bad files and bad names: one error, the database unchanged, nothing left behind."""

from __future__ import annotations

import gzip
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from support.backups import content_of, manifest_of, read_pair, remove_manifest, write_pair
from support.databases import Database
from support.fakes import fake, path_without
from support.run import BACKUP, RESTORE, VERIFY, Checkout, run_as_nobody
from support.sampling import sampled


def refused(database: Database, path: Path | str, *sentences: str) -> None:
    before = database.content()
    run = database.restore(path)
    assert run.status == 1, run
    for sentence in sentences:
        assert sentence in run.err, run
    assert run.out == ""
    assert len(run.errors) == 1, run
    assert "Traceback" not in run.err and "line " not in run.err, run
    assert database.content() == before
    assert database.left_behind() == []


def test_missing_file_lists_the_backups_that_exist(direct: Database) -> None:
    direct.sample_backup()
    refused(direct, "nowhere.dump.gz", "there is no backup file", "assets/assets.dump.gz")


def test_missing_file_lists_the_five_newest_backups(direct: Database) -> None:
    content = content_of(direct.sample_backup())
    direct.checkout.named_backups.mkdir(parents=True)
    for age in range(7):
        path = direct.checkout.named_backups / f"{age}.dump{'.gz' if age % 2 else ''}"
        path.write_bytes(content)
        os.utime(path, (1e9 - age, 1e9 - age))
    (direct.checkout.named_backups / "empty.dump.gz").touch()
    run = direct.restore("nowhere")
    assert run.status == 1, run
    listed = re.findall(r"available: .*/([^/]+) \([\d.]+ kB\)\n", run.err)
    assert listed == ["assets.dump.gz", "0.dump", "1.dump.gz", "2.dump", "3.dump.gz"], run
    assert "hint: and 3 more in assets and backups/postgres\n" in run.err


@pytest.mark.parametrize(
    ("existing", "asked", "hint"),
    [
        ("x", "x", "did you mean ./x?"),
        ("x.dump.gz", "x", "did you mean ./x.dump.gz?"),
        ("assets/x.dump.gz", "x", "/assets/x.dump.gz?"),
        ("backups/postgres/x.dump.gz", "x.dump.gz", "/backups/postgres/x.dump.gz?"),
        ("x", "auto", "'auto' is a name for new backups only"),
    ],
)
def test_missing_file_leads_to_the_same_name_elsewhere(
    checkout: Checkout, existing: str, asked: str, hint: str
) -> None:
    (checkout.path / existing).parent.mkdir(parents=True, exist_ok=True)
    (checkout.path / existing).write_bytes(gzip.compress(b""))
    run = checkout.run(RESTORE, asked)
    assert run.status == 1, run
    assert hint in run.err and "there is no backup file" in run.err


def test_misspelt_name_leads_to_the_backup(direct: Database) -> None:
    for name in ("nightly", "other"):
        direct.backed_up(direct.checkout.named_backups / f"{name}.dump.gz")
    run = direct.restore("nigthly")
    assert run.status == 1 and "did you mean ./backups/postgres/nightly.dump.gz?" in run.err, run


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [
        (".hidden", 2, "the name of a backup cannot start with a dot: '.hidden'"),
        ("a\nb", 2, "the name of a backup cannot contain a line break"),
        ("mine.dump", 2, "the name of a new backup cannot end in .dump: 'mine.dump'"),
        ("new/", 2, "'new/' names a directory, not a file\n hint: for example: "),
        ("-", 2, "cannot write a backup to standard output ('-'); name a file"),
    ],
)
def test_names_that_no_list_would_show_are_refused(
    checkout: Checkout, name: str, status: int, error: str
) -> None:
    before = set(checkout.path.rglob("*"))
    run = checkout.run(BACKUP, name)
    assert run.status == status and f"error: {error}" in run.err, run
    assert set(checkout.path.rglob("*")) == before


def test_directory_whose_name_begins_with_a_dash_is_one(direct: Database) -> None:
    (direct.checkout.path / "-d").mkdir()
    run = direct.checkout.run(BACKUP, "--", "-d/x.dump.gz")
    assert run.status == 0 and "wrote ./-d/x.dump.gz" in run.err, run
    run = direct.checkout.run(RESTORE, "-y", "--", "-d/x.dump.gz")
    assert run.status == 0, run


def test_file_in_a_closed_directory_is_not_called_missing(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir(mode=0o600 if os.geteuid() == 0 else 0)
    command = [str(open_directory / RESTORE), str(closed / "x" / "y.dump.gz")]
    run = run_as_nobody(command, {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)})
    assert run.status == 1, run
    assert f"error: directory '{closed}' is not readable for user '" in run.err
    assert "there is no backup file" not in run.err
    assert f"hint: to see its owner and mode: ls -ld {closed}" in run.err


def test_read_only_directory_keeps_the_backup_and_lets_it_be_verified(
    direct: Database, open_directory: Path
) -> None:
    closed = open_directory / "closed"
    closed.mkdir()
    path = closed / "x.dump.gz"
    write_pair(path, read_pair(direct.sample_backup()))
    closed.chmod(0o555)
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(open_directory)}
    run = run_as_nobody([str(open_directory / BACKUP), str(path)], environment)
    assert run.status == 1, run
    assert re.search(f"'{closed}/' is not writable .*; the existing backup is unchanged\n", run.err)
    verify = [str(open_directory / "scripts/verify-backup.sh"), "--level=hash", str(path)]
    run = run_as_nobody(verify, environment)
    closed.chmod(0o755)
    assert run.status == 0 and ".sh" not in run.err and "partial" not in run.err, run
    assert f"warning: could not record this result in '{path}.verified': Permission" in run.err


def test_missing_file_without_backups_says_how_to_make_one(direct: Database) -> None:
    hints = ("create one with 'make backup-assets'", "fetch the assets with 'make init' (b or c)")
    refused(direct, "nowhere.dump.gz", "there is no backup file", *hints)


def test_paths_are_relative_in_the_project(checkout: Checkout) -> None:
    for directory, shown in ((checkout.path, "."), (checkout.home, checkout.path)):
        run = checkout.run(checkout.path / RESTORE, cwd=directory)
        assert run.status == 1, run
        assert f"there is no backup file '{shown}/assets/assets.dump.gz'" in run.err


def test_directory_is_refused(direct: Database, tmp_path: Path) -> None:
    refused(direct, tmp_path, "is a directory")


def test_dump_that_is_a_directory_is_refused_with_what_to_do(
    direct: Database, tmp_path: Path
) -> None:
    path = tmp_path / "dump"
    direct.server.client("pg_dump", "-Fd", "-f", path, "-d", direct.name)
    sentence = "is a pg_dump archive in directory format"
    refused(direct, path, sentence, "load it with pg_restore", "pg_dump -Fc")


@pytest.mark.parametrize(
    ("content", "sentence"),
    sampled(
        [
            (b"", "is empty"),
            (b"hello", "is not a backup"),
            (b"--\n-- PostgreSQL", "is an SQL script of pg_dump"),
            (b"-- SQL\nDROP DATABASE tumblebug;\n", "is not a backup"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "'git lfs pull'"),
            (gzip.compress(b"--\n-- PostgreSQL", mtime=0), "is an SQL script of pg_dump"),
            (gzip.compress(b"hello", mtime=0), "is not a complete PostgreSQL archive"),
            (gzip.compress(b"", mtime=0), "is not a complete PostgreSQL archive"),
            (gzip.compress(gzip.compress(b"PGDMP", mtime=0), mtime=0), "was compressed twice"),
            (gzip.compress(b"PGDMP", mtime=0)[:-6], "damaged or cut short"),
            (b"\x1f\x8bnonsense", "damaged or cut short"),
            (b"PGDMP", "is not a complete PostgreSQL archive"),
            (b"PGDMP\x01\x63\x00\x04\x08\x01" + bytes(100), "was made by a newer pg_dump"),
        ],
        7,
    ),
)
def test_file_that_is_not_a_backup_is_refused(
    direct: Database, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "bad.dump.gz"
    path.write_bytes(content)
    refused(direct, path, sentence)


def test_tar_archive_is_refused_with_what_to_do(direct: Database, tmp_path: Path) -> None:
    archive = direct.server.client("pg_dump", "-Ft", "-d", direct.name).stdout
    path = tmp_path / "tar.dump.gz"
    path.write_bytes(gzip.compress(archive))
    refused(direct, path, "is a tar archive of pg_dump", "load it with pg_restore", "pg_dump -Fc")


@pytest.mark.parametrize("changed", sampled(["all", "after the header"], 1))
def test_archive_that_a_terminal_changed_is_named(
    direct: Database, tmp_path: Path, changed: str
) -> None:
    archive = direct.server.client("pg_dump", "-Fc", "-d", direct.name).stdout
    start = 0 if changed == "all" else 100
    path = tmp_path / "terminal.dump.gz"
    path.write_bytes(
        gzip.compress(archive[:start] + archive[start:].replace(b"\n", b"\r\n"), mtime=0)
    )
    sentence = "was written through a terminal, which damaged it"
    refused(direct, path, sentence, "hint: make it again without -t")
    run = direct.checkout.run(VERIFY, "--level", "read", path)
    assert run.status == 1 and sentence in run.errors[0], run


@pytest.mark.parametrize("option", ["--list", "--file=/dev/null"])
def test_archive_on_which_pg_restore_crashes_is_damaged(direct: Database, option: str) -> None:
    crashes = f'case " $* " in *" {option} "*) kill -SEGV $$ ;; esac; exec "$REAL" "$@"'
    path = direct.sample_backup()
    remove_manifest(path)
    run = direct.restore(path, **fake(direct.checkout, pg_restore=crashes))
    assert run.status == 1, run
    assert "is not a complete PostgreSQL archive: pg_restore crashed" in run.errors[0], run


@pytest.mark.parametrize("damage", ["", "flipped byte", "cut"])
def test_damaged_file_says_where_to_get_another(direct: Database, damage: str) -> None:
    path = direct.sample_backup()
    content = bytearray(path.read_bytes())
    content[len(content_of(path)) // 2] ^= 1
    path.write_bytes({"": b"", "flipped byte": bytes(content), "cut": content[:-9000]}[damage])
    refused(direct, path, "hint: get the file again from its source")


def test_pipe_and_standard_input_are_refused(direct: Database, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo.dump.gz"
    os.mkfifo(fifo)
    refused(direct, fifo, "is not a regular file")
    path = direct.sample_backup()
    run = direct.checkout.run("sh", "-c", f"{RESTORE} -y /dev/stdin <{shlex.quote(str(path))}")
    assert run.status == 1 and "cannot read a backup from '/dev/stdin'" in run.errors[0], run


@pytest.mark.parametrize("missing", [(), ("pigz",)], ids=["pigz", "gzip"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda whole: whole[:-9], "unexpected end of file"),
        (lambda whole: whole[:-8] + b"abcd" + whole[-4:], "wrong checksum"),
        (lambda whole: b"\x1f\x8bnonsense", "not in gzip format"),
    ],
    ids=["cut", "changed", "nonsense"],
)
def test_damage_has_the_same_words_by_any_program(
    direct: Database, missing: tuple[str, ...], damage: Callable[[bytes], bytes], reason: str
) -> None:
    path = direct.sample_backup()
    remove_manifest(path)
    path.write_bytes(damage(path.read_bytes()))
    if missing:
        direct.checkout.environment["PATH"] = path_without(direct.checkout, *missing)
    sentence = f"'{path}' is damaged or cut short: {reason}; the database is unchanged"
    refused(direct, path, sentence)


@pytest.mark.parametrize("percent", sampled([1, 60, 99], 2))
def test_truncated_backup_is_refused(direct: Database, percent: int) -> None:
    path = direct.sample_backup()
    content = content_of(path)
    path.write_bytes(content[: len(content) * percent // 100])
    refused(direct, path, "damaged or cut short")


@pytest.mark.parametrize("percent", sampled([5, 60, 99], 1))
@pytest.mark.parametrize("wrapped", [True, False])
def test_archive_cut_before_compression_is_refused(
    direct: Database, tmp_path: Path, percent: int, wrapped: bool
) -> None:
    archive = gzip.decompress(direct.sample_backup().read_bytes())
    cut = archive[: len(archive) * percent // 100]
    path = tmp_path / "cut.dump"
    path.write_bytes(gzip.compress(cut) if wrapped else cut)
    refused(direct, path, "is not a complete PostgreSQL archive")


def test_broken_symbolic_link_is_refused(direct: Database, tmp_path: Path) -> None:
    path = tmp_path / "loop.dump.gz"
    path.symlink_to(path)
    refused(direct, path, "is a symbolic link whose target is missing")


ODD_NAMES = [
    "it's",
    'a "quote"',
    "a$HOME",
    "a;touch x",
    "a b",
    "-n",
    "--help",
    "`x`",
    "$(touch x)",
    "%s",
    "한글",
]


def assert_no_harm(database: Database, name: str, backup: list[str], restore: list[str]) -> None:
    """Back up under the name by one command, and restore by the other."""
    directory = database.checkout.named_backups
    path = directory / f"{name}.dump.gz"
    before = database.content()
    run = database.checkout.run(*backup)
    assert run.status == 0, run
    assert set(directory.iterdir()) == {path, manifest_of(path)}
    database.execute("DELETE FROM pricing_info")
    run = database.checkout.run(*restore, RESTORE_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert database.content() == before
    assert "x" not in {entry.name for entry in database.checkout.path.iterdir()}
    assert database.left_behind() == []


@pytest.mark.parametrize("name", ["a\nb", "it's"])  # make itself takes no newline in a variable
def test_odd_names_do_no_harm(direct: Database, name: str) -> None:
    path = f"backups/postgres/{name}.dump.gz"
    assert_no_harm(direct, name, [BACKUP, "--", path], [RESTORE, "--", path])


@pytest.mark.parametrize("name", sampled(ODD_NAMES, 1))
def test_odd_names_do_no_harm_through_make(direct: Database, name: str) -> None:
    path = f"./backups/postgres/{name}.dump.gz"
    make = ["make", "backup-assets", f"NAME={name}"]
    assert_no_harm(direct, name, make, ["make", "restore-assets", f"FILE={path}"])


def test_backup_into_a_file_is_refused(direct: Database) -> None:
    (direct.checkout.path / "file").write_text("")
    run = direct.backup("./file/x.dump.gz")
    assert run.status == 1, run
    reason = "(Not a directory|File exists)"
    assert re.search(f"could not create directory './file/': {reason}; no", run.err), run


def test_backup_does_not_replace_a_directory(direct: Database) -> None:
    (direct.checkout.path / "a.dump.gz").mkdir()
    run = direct.backup("a.dump.gz")
    assert run.status == 1, run
    assert "is a directory" in run.err


def test_backup_does_not_replace_a_pipe(direct: Database) -> None:
    fifo = direct.checkout.path / "fifo"
    os.mkfifo(fifo)
    run = direct.backup(fifo)
    assert run.status == 1, run
    assert "is not a file that can be replaced" in run.err
    assert fifo.is_fifo()


def test_backup_replaces_no_other_kind_of_file(direct: Database, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("precious")
    run = direct.backup(path)
    assert run.status == 1, run
    assert "exists and is not a backup file; no backup was written" in run.err
    assert path.read_text() == "precious"
    assert list(tmp_path.glob("*.info")) == []


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_directory_that_takes_no_file_is_named_without_a_shell_error(
    direct: Database, shell: str
) -> None:
    run = direct.checkout.run(BACKUP, "/proc/x.dump.gz", shell=shell)
    assert run.status == 1, run
    assert re.search(r"^error: .*'?/proc/.*; no backup was written$", run.err, re.MULTILINE), run
    assert ".sh" not in run.err and "partial" not in run.err


@pytest.mark.parametrize("argument", ["FORCE=yes", "NAME=x"])
def test_variable_of_make_is_no_name(checkout: Checkout, argument: str) -> None:
    for command in (BACKUP, RESTORE):
        run = checkout.run(command, argument)
        assert run.status == 2 and f"not a variable: '{argument}'" in run.err, run
        assert f"hint: set a variable before the command: {argument} {command}\n" in run.err


@pytest.mark.parametrize("start", ["28b52ffd04", "fd377a585a"], ids=["zstd", "xz"])
def test_other_compression_is_named(checkout: Checkout, start: str) -> None:
    path = checkout.path / "x.dump"
    path.write_bytes(bytes.fromhex(start) + b"more")
    run = checkout.run(RESTORE, path)
    assert run.status == 1 and "is compressed with zstd or xz" in run.err, run


def test_info_of_a_backup_is_not_the_backup(direct: Database) -> None:
    path = manifest_of(direct.sample_backup())
    run = direct.checkout.run(RESTORE, path)
    assert run.status == 1 and f"hint: did you mean {str(path)[:-5]}?\n" in run.err, run
