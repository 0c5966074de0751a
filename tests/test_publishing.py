"""Backup and manifest are replaced as a pair; other runs' files are unchanged."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from support.backups import Pair, manifest_of, read_pair, write_pair
from support.databases import Database
from support.fakes import count_calls, fake
from support.run import BACKUP, RESTORE, Run, new_checkout
from support.running import ended, kill
from support.sampling import sampled
from support.servers import Server
from support.waiting import until

OTHER_HOST = "elsewhere.1-1.aaaaaa"
CRASHED = f"{os.uname().nodename}.99999999-1.aaaaaa"
LAST = "for last; do :; done\n"


@pytest.fixture(scope="module")
def pairs(direct_server: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    """An earlier and a newer backup: file and manifest."""
    database = Database(direct_server, new_checkout(tmp_path_factory.mktemp("pairs")))
    database.create()
    earlier = read_pair(database.backed_up())
    database.execute("DELETE FROM pricing_info")
    newer = read_pair(database.backed_up())
    database.drop()
    return earlier, newer


@pytest.fixture
def path(direct: Database, pairs: tuple[Pair, Pair]) -> Path:
    """The default backup of a checkout that has a key: the earlier pair is there."""
    direct.checkout.key.parent.mkdir(parents=True)
    direct.checkout.key.write_text(64 * "0")
    direct.checkout.key.chmod(0o600)
    write_pair(direct.checkout.default_backup, pairs[0])
    return direct.checkout.default_backup


def partial_of(path: Path, run: str) -> Path:
    return path.with_name(f".{path.name}.partial.{run}")


def failing_sync(directory: Path, number: int) -> str:
    """Return a sync program that fails when it is given a file or directory for the n-th time."""
    return f"""[ $# -gt 0 ] && [ -e "$1" ] || exec "$REAL" "$@"
        {count_calls(directory / "calls")}
        [ $number -ne {number} ] || {{
            echo 'sync: injected error' >&2; exit 1; }}
        exec "$REAL" "$@\""""


def hidden_files(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir() if entry.name.startswith(".")]


def assert_kept(run: Run, path: Path, earlier: Pair) -> None:
    assert run.status == 1, run
    assert run.err.rstrip().endswith("; the existing backup is unchanged"), run
    assert read_pair(path) == earlier
    assert hidden_files(path.parent) == []


# --- on the disk ---


def test_backup_that_could_not_be_synced_is_not_published(direct: Database, path: Path) -> None:
    """A real sync gets a real error from the kernel; a sync of everything would hide it."""
    if not shutil.which("strace"):
        pytest.skip("there is no strace")
    earlier = read_pair(path)
    failing = 'exec strace -qq -o /dev/null -e inject=fsync:error=EIO "$REAL" "$@"'
    run = direct.backup(path, **fake(direct.checkout, sync=failing))
    assert (
        "could not sync the new backup to the disk: " in run.err and "Input/output error" in run.err
    ), run
    assert_kept(run, path, earlier)


@pytest.mark.parametrize("number", [1, 2])
def test_failed_sync_is_a_failed_backup(
    direct: Database, path: Path, tmp_path: Path, number: int
) -> None:
    """The sync of the files, and that of their directory."""
    earlier = read_pair(path)
    run = direct.backup(path, **fake(direct.checkout, sync=failing_sync(tmp_path, number)))
    assert "could not sync the new backup to the disk: sync: injected error" in run.err, run
    assert_kept(run, path, earlier)


@pytest.mark.parametrize(
    "refusing",
    sampled(
        ["echo 'usage: sync' >&2; exit 1", "echo 'sync: ignoring all arguments' >&2", "exit 0"], 1
    ),
)
def test_sync_that_takes_no_files_writes_everything(
    direct: Database, path: Path, tmp_path: Path, refusing: str
) -> None:
    everything = f"touch '{tmp_path}/synced'; exec \"$REAL\""
    run = direct.backup(
        path,
        **fake(direct.checkout, sync=f"[ $# -gt 0 ] || {{ {everything}; }}\n{refusing}"),
    )
    assert run.status == 0, run
    assert (tmp_path / "synced").exists()


def test_directory_that_could_not_be_synced_is_no_failure(direct: Database, path: Path) -> None:
    invalid = """[ ! -d "${1-.}" ] || [ $# -eq 0 ] || { echo 'sync: Invalid argument' >&2; exit 1; }
        exec "$REAL" "$@\""""
    run = direct.backup(path, **fake(direct.checkout, sync=invalid))
    assert run.status == 0, run


def test_both_files_are_on_the_disk_before_one_is_renamed(
    direct: Database, path: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    logged = {
        name: f'printf \'%s\\n\' {name} "$@" >>\'{log}\'; exec "$REAL" "$@"'
        for name in ("sync", "mv")
    }
    run = direct.backup(path, **fake(direct.checkout, **logged))
    assert run.status == 0, run
    steps = log.read_text().replace(str(path.parent), "").split("/nonexistent/file\n")[-1]
    steps = [Path(line).name.partition(".partial.")[0] for line in steps.splitlines()]
    file, manifest = f".{path.name}", f".{path.name}.info"
    assert steps == [
        *("sync", file, manifest, "sync", ""),
        *("mv", "-f", file, path.name, "mv", "-f", manifest, f"{path.name}.info"),
        *("sync", ""),
    ]


def test_backup_whose_renames_could_not_be_synced_is_exit_3(
    direct: Database, path: Path, tmp_path: Path
) -> None:
    """The last sync fails: a power loss may undo both renames."""
    run = direct.backup(path, **fake(direct.checkout, sync=failing_sync(tmp_path, 3)))
    assert run.status == 3, run
    assert (
        "the new backup is complete, but a power loss may undo it: sync: injected error" in run.err
    )
    assert direct.restore("--dry-run", path).status == 0
    assert direct.left_behind() == []


def test_signal_during_the_rename_does_not_call_a_replaced_backup_unchanged(
    direct: Database, path: Path, pairs: tuple[Pair, Pair]
) -> None:
    after = """case "$*" in *.dump.gz) "$REAL" "$@"; kill -TERM 0 ;; *) exec "$REAL" "$@" ;; esac"""
    process = direct.checkout.start(BACKUP, path, **fake(direct.checkout, mv=after))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert read_pair(path)[0] != pairs[0][0]
    assert f"interrupted; '{path}' is either unchanged or the complete new backup" in err
    assert direct.checkout.run(RESTORE, "--dry-run", path).status == 0


# --- between the two renames ---


@pytest.mark.parametrize(
    ("replaced", "run", "next_run"),
    sampled(
        [
            ("file", CRASHED, "restore"),
            ("file", CRASHED, "link"),
            ("file", CRASHED, "backup"),
            ("file", OTHER_HOST, "dry run"),
            ("none", CRASHED, "dry run"),
            ("none", OTHER_HOST, "backup"),
        ],
        3,
    ),
)
def test_next_run_completes_a_half_replaced_pair(
    direct: Database,
    path: Path,
    pairs: tuple[Pair, Pair],
    tmp_path: Path,
    replaced: str,
    run: str,
    next_run: str,
) -> None:
    earlier, newer = pairs
    manifest = manifest_of(path)
    write_pair(path, (newer[0] if replaced == "file" else earlier[0], earlier[1]))
    if replaced == "none":
        partial_of(path, run).write_bytes(newer[0])
    partial_of(manifest, run).write_bytes(newer[1])
    link = tmp_path / "latest.dump.gz"
    link.symlink_to(path)
    done = {
        "restore": lambda: direct.restore(path),
        "dry run": lambda: direct.restore("--dry-run", path),
        "link": lambda: direct.restore("--dry-run", link),
        "backup": lambda: direct.backup(path.with_name("another.dump.gz")),
    }[next_run]()
    assert done.status == 0, done
    assert "no manifest" not in done.err
    assert read_pair(path) == (earlier if replaced == "none" else newer)
    left = (
        []
        if run == CRASHED or replaced != "none"
        else [partial_of(path, run).name, partial_of(manifest, run).name]
    )
    assert sorted(hidden_files(path.parent)) == sorted(left)


def test_manifest_that_is_not_whole_replaces_none(
    direct: Database, path: Path, pairs: tuple[Pair, Pair]
) -> None:
    earlier, newer = pairs
    write_pair(path, (newer[0], earlier[1]))
    partial_of(manifest_of(path), CRASHED).write_bytes(newer[1][:-20])
    run = direct.restore("--dry-run", path)
    assert run.status == 0, run
    assert manifest_of(path).read_bytes() == earlier[1]
    assert hidden_files(path.parent) == []


def test_manifest_not_replaced_is_completed_by_the_next_run(direct: Database, path: Path) -> None:
    earlier = read_pair(path)
    stuck = f"""{LAST}case $last in *.info) echo 'mv: injected error' >&2; exit 1 ;; esac
        exec "$REAL" "$@\""""
    run = direct.backup(path, **fake(direct.checkout, mv=stuck))
    assert run.status == 3, run
    assert (
        "could not replace" in run.err
        and "mv: injected error; the new backup is complete" in run.err
    ), run
    assert "the next backup or restore" in run.err
    file, manifest = read_pair(path)
    assert file != earlier[0] and manifest == earlier[1]
    run = direct.restore("--dry-run", path)
    assert run.status == 0 and "no manifest" not in run.err, run
    assert direct.left_behind() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_between_the_two_renames_leaves_the_new_pair(
    direct: Database, path: Path, number: signal.Signals
) -> None:
    earlier = read_pair(path)
    signals = (
        f'{LAST}"$REAL" "$@" || exit\n'
        f"case $last in *.gz) kill -{number.value} $PPID; sleep 0.2 ;; esac"
    )
    run = direct.backup(path, **fake(direct.checkout, mv=signals))
    assert run.status == 128 + number, run
    assert read_pair(path)[0] != earlier[0]
    run = direct.restore("--dry-run", path)
    assert run.status == 0 and "no manifest" not in run.err, run
    assert direct.left_behind() == []


def test_pair_that_another_run_completed_is_no_error(direct: Database, path: Path) -> None:
    faster = f"""{LAST}case $last in *.info) "$REAL" "$@" ;; esac; exec "$REAL" "$@\""""
    run = direct.backup(path, **fake(direct.checkout, mv=faster))
    assert run.status == 0, run
    assert direct.restore("--dry-run", path).status == 0


@pytest.mark.parametrize("name", [CRASHED, OTHER_HOST])
def test_files_that_could_not_be_cleaned_up_stop_no_restore(
    direct: Database, path: Path, name: str
) -> None:
    partial_of(path, name).write_bytes(b"half")
    stuck = "echo 'rm: injected error' >&2; exit 1"
    rm = f"""{LAST}case $last in *.partial.*) {stuck} ;; esac; exec "$REAL" "$@\""""
    run = direct.restore("--dry-run", path, **fake(direct.checkout, rm=rm))
    assert run.status == 0, run
    assert ("could not clean up after a crashed run: rm: injected error" in run.err) == (
        name == CRASHED
    )


# --- whose file it is ---


def first_process(database: Database) -> list[str]:
    """Return what makes a command the first process of its own, as in a container."""
    words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("making a process namespace needs root")
    return words


@pytest.mark.parametrize("moment", ["dump", "pair"])
def test_crashed_run_of_the_same_process_id_is_cleaned_up_after(
    direct: Database, path: Path, tmp_path: Path, moment: str
) -> None:
    """In containers of one host name, every run is process 1."""
    earlier = read_pair(path)
    as_first = first_process(direct)
    stops = f"touch '{tmp_path}/stopped'; sleep 60"
    fakes = {
        "dump": {"pigz": stops, "gzip": stops, "python3": stops},
        "pair": {"mv": f'{LAST}case $last in *.info) {stops} ;; esac; exec "$REAL" "$@"'},
    }[moment]
    crashed = direct.checkout.start(*as_first, BACKUP, path, **fake(direct.checkout, **fakes))
    until((tmp_path / "stopped").exists)
    kill(crashed)
    assert len(hidden_files(path.parent)) == 1
    assert (path.read_bytes() == earlier[0]) == (moment == "dump")
    run = ended(direct.checkout.start(*as_first, BACKUP, path.with_name("another.dump.gz")))
    assert run.status == 0, run
    assert direct.left_behind() == []
    assert direct.restore("--dry-run", path).status == 0
    assert (read_pair(path) == earlier) == (moment == "dump")


def test_another_hosts_files_are_left_alone(direct: Database, path: Path) -> None:
    host = os.uname().nodename
    theirs = [
        partial_of(path, run)
        for run in (OTHER_HOST, f"{host}.b.1-1.aaaaaa", f"{host}.5.1-1.aaaaaa")
    ]
    theirs += [direct.checkout.temporary / f"tumblebug-assets.{host}.b.1-1.aaaaaa" / "x"]
    for file in theirs:
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"half")
    assert direct.backup(path).status == 0
    assert direct.restore("--dry-run", path).status == 0
    assert [file for file in theirs if not file.exists()] == []


def test_only_files_of_crashed_runs_are_removed(direct: Database, path: Path) -> None:
    host = os.uname().nodename
    start = Path("/proc/self/stat").read_text().rpartition(") ")[2].split()[19]
    living = [
        partial_of(path, f"{host}.{os.getpid()}{start}") for start in (f"-{start}.aaaaaa", "")
    ]
    crashed = [
        partial_of(path, run) for run in (f"{host}.{os.getpid()}-1.aaaaaa", f"{host}.99999999")
    ]
    for file in living + crashed:
        file.write_bytes(b"half")
    run = direct.restore("--dry-run", path)
    assert run.status == 0, run
    assert [file.exists() for file in living + crashed] == [True, True, False, False]


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_auto_leaves_the_file_that_another_run_has_written_meanwhile(
    direct: Database, shell: str
) -> None:
    """As two jobs do that start in the same second, for two databases."""
    directory = direct.checkout.named_backups
    takes_its_name = f"""cd {shlex.quote(str(directory))}
        [ -n "$(ls)" ] || for file in .*.dump.gz.partial.*; do
            name=${{file#.}}
            echo another >"${{name%.partial.*}}"
        done
        cd - >/dev/null
        exec "$REAL" "$@\""""
    run = direct.backup("auto", shell=shell, **fake(direct.checkout, sync=takes_its_name))
    assert run.status == 0, run
    first, second = sorted(directory.glob("*.dump.gz"))
    assert first.read_text() == "another\n"
    assert f"wrote ./backups/postgres/{second.name}: " in run.err
    assert read_pair(second) and hidden_files(directory) == []
