"""Copies of backups off site, on a real S3 server, and backups taken, listed and deleted there."""

from __future__ import annotations

import os
import signal
import subprocess
from itertools import cycle
from pathlib import Path

from support.backups import Pair, manifest_of, read_pair, rewrite_manifest, write_backup, write_pair
from support.databases import Database
from support.disks import small_disk
from support.fakes import fake, path_without
from support.run import BACKUP, DIFF, DOCTOR, LIST, PRUNE, RESTORE, VERIFY, Checkout, Run
from support.running import ended, waiting_run
from support.sampling import only_with_all
from support.storage import RCLONE, storage_server

UNREACHABLE = {"RCLONE_CONFIG_T_ENDPOINT": "http://127.0.0.1:1"}
WRONG_KEY = {"AWS_SECRET_ACCESS_KEY": "wrong"}
UNCHANGED = {"FORCE": ""}  # a backup of unchanged content writes no file, and is quick
SHELLS = ["dash", "busybox sh", "bash"]


def files(bucket: Path) -> set[str]:
    return {path.name for path in bucket.iterdir()}


def only_local_backup(direct: Database, bucket: Path) -> Pair:
    """Return a backup of the unchanged database, of which the bucket has no copy."""
    pair = read_pair(direct.sample_backup())
    for copy in bucket.iterdir():
        copy.unlink()
    return pair


def only_remote_backup(direct: Database, bucket: Path) -> str:
    """Return the name of a backup of the unchanged database in the bucket."""
    write_pair(bucket / "x y.dump.gz", only_local_backup(direct, bucket))
    direct.checkout.default_backup.unlink()
    return f"t:{bucket.name}/x y.dump.gz"


def intact_backup(path: Path) -> Path:
    """Write a backup that passes a verification of level hash."""
    write_backup(path, "2026-01-01 00:00:00")
    manifest = manifest_of(path).read_text()
    rewrite_manifest(path, manifest.replace("\nbytes: ", "\ndatabase-bytes: 99\nbytes: "))
    return path


# --- a copy of each new backup ---


def test_new_backup_is_copied_and_compared_by_hash(direct: Database, bucket: Path) -> None:
    run = direct.backup("./ #a 'b;.dump.gz", "--quiet")
    assert (run.status, run.out, run.err) == (0, "", ""), run
    local = direct.checkout.path / " #a 'b;.dump.gz"
    assert read_pair(bucket / local.name) == read_pair(local)
    assert direct.left_behind() == [] and files(bucket) == {local.name, local.name + ".info"}
    assert not (direct.checkout.home / "rclone.conf").exists()


@only_with_all
def test_unchanged_backup_is_copied_only_if_the_remote_lacks_it(
    direct: Database, bucket: Path
) -> None:
    pair = only_local_backup(direct, bucket)
    copy = bucket / "assets.dump.gz"

    def back_up(shell: str = "") -> Run:
        run = direct.checkout.run(BACKUP, shell=shell, **UNCHANGED)
        assert run.status == 0 and "nothing changed since" in run.err, run
        assert read_pair(copy) == pair and direct.left_behind() == []
        return run

    for shell in SHELLS:
        copy.unlink(missing_ok=True)
        assert f"copied to t:{bucket.name}/assets.dump.gz and verified" in back_up(shell).err
    written = copy.stat().st_mtime_ns
    assert f"t:{bucket.name}/assets.dump.gz has the same content" in back_up().err
    assert copy.stat().st_mtime_ns == written
    copy.write_bytes(pair[0][:-1])
    assert "copied to" in back_up().err
    copy.write_bytes(b"\0" + pair[0][1:])
    assert "copied to" in back_up().err


def test_encrypted_copy_is_compared_and_read(direct: Database, bucket: Path) -> None:
    only_local_backup(direct, bucket)
    password = subprocess.run([RCLONE, "obscure", "x"], capture_output=True, text=True).stdout
    direct.checkout.environment |= {
        "BACKUP_REMOTE": "secret:",
        "RCLONE_CONFIG_SECRET_TYPE": "crypt",
        "RCLONE_CONFIG_SECRET_REMOTE": f"t:{bucket.name}",
        "RCLONE_CONFIG_SECRET_PASSWORD": password.strip(),
    }
    run = direct.backup(**UNCHANGED)
    assert run.status == 0 and "copied to secret:assets.dump.gz and verified" in run.err, run
    assert len(files(bucket)) == 2
    for path in bucket.iterdir():
        assert "assets" not in path.name and path.read_bytes().startswith(b"RCLONE\0\0")
    assert "secret:assets.dump.gz" in direct.checkout.run(LIST).out
    run = direct.checkout.run(VERIFY, "--level", "hash", "secret:assets.dump.gz")
    assert run.status == 0, run


def test_failed_copy_does_not_undo_the_backup(direct: Database, bucket: Path) -> None:
    pair = only_local_backup(direct, bucket)
    reasons = {
        "SignatureDoesNotMatch: ": WRONG_KEY,
        ": dial tcp 127.0.0.1:1: connect: connection refused; the backup": UNREACHABLE,
        "didn't find section in config file": {"BACKUP_REMOTE": "absent:x"},
        "there is no rclone on this machine": {"PATH": path_without(direct.checkout, "rclone")},
    }
    for reason, environment in reasons.items():
        run = direct.backup(**UNCHANGED, **environment)
        assert run.status == 3 and run.errors == [], run
        warnings = [line for line in run.err.splitlines() if line.startswith("warning: ")]
        assert len(warnings) == 1 and reason in warnings[0], run
        assert (
            "could not copy the backup to" in warnings[0] and "backup itself is complete" in run.err
        )
        assert "operation error" not in run.err and "Attempt" not in run.err
        assert read_pair(direct.checkout.default_backup) == pair
        assert direct.left_behind() == [] and files(bucket) == set()


def test_failed_copy_of_a_new_backup_is_reported_to_the_hook(
    direct: Database, bucket: Path
) -> None:
    hook = {"BACKUP_ON_FAILURE": 'echo "$BACKUP_STATUS $BACKUP_ERROR" >"$HOME/hook"'}
    run = direct.backup("new", "--quiet", **WRONG_KEY, **hook)
    warning, advice, command = run.err.splitlines()
    assert run.status == 3, run
    assert warning.startswith(f"warning: could not copy the backup to t:{bucket.name}: ")
    assert advice.startswith(" hint: correct the keys")
    assert (direct.checkout.home / "hook").read_text().startswith("3 could not copy the backup to ")
    assert direct.checkout.run(VERIFY, "--level", "hash", "new").status == 0
    assert direct.left_behind() == [] and files(bucket) == set()
    copy = direct.checkout.run("sh", "-c", command.removeprefix(" hint: then copy it: "))
    assert copy.status == 0 and files(bucket) == {"new.dump.gz", "new.dump.gz.info"}, copy


def test_copy_that_was_cut_or_is_incomplete_is_noticed(direct: Database, bucket: Path) -> None:
    only_local_backup(direct, bucket)
    cut = f'"$REAL" "$@"; case $1 in copyto) truncate -s 99 "{bucket}/assets.dump.gz" ;; esac'
    faked = fake(direct.checkout, rclone=cut)
    run = direct.backup(**UNCHANGED, **faked)
    assert run.status == 3 and "the copy there differs from the backup" in run.err, run
    manifest_of(bucket / "assets.dump.gz").unlink()
    refused = (
        'case $* in copyto*.info*) echo "ERROR : refused" >&2; exit 1 ;; esac; exec "$REAL" "$@"'
    )
    run = direct.backup(**UNCHANGED, **fake(direct.checkout, rclone=refused))
    assert run.status == 3 and ": refused; the backup itself is complete" in run.err, run
    run = direct.backup(**UNCHANGED)
    assert run.status == 0 and "copied to" in run.err, run


def test_full_storage_ends_in_one_warning(direct: Database, bucket: Path) -> None:
    direct.sample_backup()
    with (
        small_disk(direct.checkout.home / "small", "8k") as disk,
        storage_server(disk) as storage,
    ):
        environment = storage.environment(direct.checkout, storage.new_bucket().name)
        run = direct.backup(**{**UNCHANGED, **environment})
    assert run.status == 3 and "InternalError: Internal Error; the backup itself" in run.err, run
    assert direct.left_behind() == []


def test_interrupted_copy_leaves_the_backup_and_no_temporary_files(
    direct: Database, bucket: Path
) -> None:
    run = waiting_run(direct.checkout, BACKUP, "new", program="rclone", arguments="*copyto*")
    with run as (process, _):
        os.kill(process.pid, signal.SIGTERM)
        stopped = ended(process)
    assert (
        stopped.status == 143 and "interrupted; the backup is complete; its copy on" in stopped.err
    )
    assert direct.left_behind() == [] and files(bucket) == set()
    assert direct.checkout.run(VERIFY, "--level", "hash", "new").status == 0


def test_auto_does_not_replace_the_copy_of_another_machine(direct: Database, bucket: Path) -> None:
    """Which began in the same second; the name is then the same."""
    date = 'case "$*" in +%Y*%S) echo 20260101_023000 ;; *) exec "$REAL" "$@" ;; esac'
    other = bucket / "tumblebug_db_20260101_023000.dump.gz"
    other.write_text("another")
    run = direct.backup("auto", **fake(direct.checkout, date=date))
    assert run.status == 3 and "the copy there differs from the backup" in run.err, run
    assert other.read_text() == "another"
    assert (direct.checkout.named_backups / other.name).exists()
    other.unlink()
    run = direct.backup("auto")
    assert run.status == 0 and "verified there" in run.err, run


def test_other_runs_do_not_wait_for_a_copy(direct: Database, bucket: Path) -> None:
    direct.sample_backup()
    run = waiting_run(direct.checkout, BACKUP, program="rclone", arguments="*hashsum*", **UNCHANGED)
    with run as (process, go_on):
        assert direct.backup("other", BACKUP_REMOTE="").status == 0
        go_on.touch()
        assert ended(process).status == 0


def test_a_backup_is_not_written_to_a_remote(checkout: Checkout) -> None:
    for target in ("t:bucket/x", "t:x.dump.gz"):
        run = checkout.run(BACKUP, target)
        assert run.status == 2 and "BACKUP_REMOTE=remote:path" in run.err, run
    for value in ("/mnt/x", "bucket", "./a:b", "-x:y"):
        run = checkout.run(BACKUP, BACKUP_REMOTE=value)
        assert run.status == 2 and "BACKUP_REMOTE must be remote:path" in run.err, run


# --- a backup on a remote as operand ---


def test_backup_on_a_remote_is_restored(direct: Database, bucket: Path) -> None:
    content = direct.content()
    remote = only_remote_backup(direct, bucket)
    direct.execute("DELETE FROM pricing_info")
    run = direct.checkout.run(
        "make", "restore-assets", f"FILE={remote}", RESTORE_SKIP_CONFIRM="yes"
    )
    assert run.status == 0 and f"backup    {remote} (" in run.err, run
    assert direct.content() == content
    assert str(direct.checkout.temporary) not in run.out + run.err
    assert direct.left_behind() == []
    direct.checkout.key.write_text("0" * 64)
    run = direct.checkout.run(RESTORE, "--dry-run", remote)
    assert run.status == 0 and "not signed" in run.err, run


def test_backups_on_a_remote_are_compared(direct: Database, bucket: Path) -> None:
    old = only_remote_backup(direct, bucket)
    direct.execute("UPDATE pricing_info SET price = price + 1")
    assert direct.backup("./new.dump.gz").status == 0
    new = f"t:{bucket.name}/new.dump.gz"
    run = direct.checkout.run(DIFF, old, "--with", new)
    assert run.status == 0 and "pricing_info" in run.out, run
    assert f"compared {old} with {new} in" in run.err and direct.left_behind() == []


def test_damaged_and_missing_backups_on_a_remote_are_refused(
    checkout: Checkout, bucket: Path
) -> None:
    shells = cycle(SHELLS)
    checkout.environment["TMPDIR"] = str(checkout.temporary / "a [*]\\.^$|&'b")
    Path(checkout.environment["TMPDIR"]).mkdir()
    path = intact_backup(bucket / "a b:c.dump.gz")
    remote = f"t:{bucket.name}/{path.name}"

    def verify(name: str = remote, **environment: str) -> Run:
        run = checkout.run(VERIFY, "--level=hash", name, shell=next(shells), **environment)
        assert str(checkout.temporary) not in run.out + run.err
        assert list(Path(checkout.environment["TMPDIR"]).iterdir()) == []
        return run

    run = verify()
    assert run.status == 0 and f"verified {remote} (level hash)" in run.err, run
    content = path.read_bytes()
    path.write_bytes(content[:40])
    run = verify()
    assert run.status == 1 and f"'{remote}'" in run.errors[0], run
    path.write_bytes(b"\x1f\x8b\0" + content[3:])
    run = verify()
    assert run.status == 1 and f"backup file '{remote}' is damaged" in run.errors[0], run
    path.unlink()
    for name in (remote, "t:absent-bucket/x.dump.gz"):
        run = verify(name)
        assert run.errors == [f"error: there is no backup file '{name}'"] and run.status == 1, run
        assert f"list-backups.sh 't:{name.split(':')[1].split('/')[0]}/'" in run.err
    run = verify(f"t:{bucket.name}/../../../x.dump.gz")
    assert run.status == 1 and "must not contain '..'" in run.errors[0], run
    run = verify(**WRONG_KEY)
    assert run.status == 1 and len(run.errors) == 1 and "correct the keys" in run.err, run
    run = verify(PATH=path_without(checkout, "rclone"))
    assert run.status == 1 and "there is no rclone on this machine" in run.errors[0], run
    assert "hint: install rclone" in run.err


def test_file_of_that_name_here_is_meant_first(checkout: Checkout) -> None:
    path = intact_backup(checkout.path / "a:b.dump.gz")
    intact_backup(checkout.named_backups / "c:d.dump.gz")
    for name in (path.name, f"./{path.name}", "c:d"):
        run = checkout.run(VERIFY, "--level", "hash", name)
        assert run.status == 0, run


# --- the backups on a remote ---


def test_backups_on_a_remote_are_listed(checkout: Checkout, bucket: Path) -> None:
    shells = cycle(SHELLS)
    write_backup(checkout.named_backups / "here.dump.gz", "2026-01-03 00:00:00", rows=3)
    write_backup(bucket / " a;b.dump.gz", "2026-01-02 00:00:00", rows=1234567)
    cut = write_backup(bucket / "cut.dump.gz", "2026-01-01 00:00:00")
    cut.write_bytes(cut.read_bytes()[:-1])
    foreign = bucket / "foreign.dump"
    foreign.write_bytes(b"PGDMP")
    empty = bucket / "empty.dump.gz"
    empty.touch()
    for path in (foreign, empty):
        os.utime(path, (0, 86400 * 365))
    (bucket / "other.txt").write_text("x")
    (bucket / "deeper").mkdir()
    write_backup(bucket / "deeper" / "x.dump.gz", "2026-01-01 00:00:00")
    run = checkout.run(LIST, shell=next(shells))
    assert run.status == 0 and run.err == "", run
    there = f"t:{bucket.name}/"
    lines = {
        line.split("  ")[0]: line for line in run.out.replace("\n   ", "    ").splitlines()[1:]
    }
    names = [f"{there}{name}" for name in (" a;b.dump.gz", "cut.dump.gz")]
    others = [f"{there}{name}" for name in ("foreign.dump", "empty.dump.gz")]
    assert list(lines) == ["here", *names, *others], run
    assert " 1,234,567 " in lines[f"{there} a;b.dump.gz"] and "unsigned" in run.out
    for name, state in (("cut.dump.gz", "mismatch"), ("empty.dump.gz", "empty")):
        assert state in lines[there + name], run
    assert "unknown" in lines[f"{there}foreign.dump"] and "y " in lines[f"{there}foreign.dump"]
    only = checkout.run(LIST, there, shell=next(shells), BACKUP_REMOTE="")
    assert only.status == 0 and only.out.splitlines()[1:] == run.out.splitlines()[2:], only
    deeper = checkout.run(LIST, f"{there}deeper", shell=next(shells))
    assert deeper.out.splitlines()[1].startswith(f"{there}deeper/x.dump.gz "), deeper
    unlisted = checkout.run(LIST, there, **fake(checkout, ls="exit 0"))
    assert (unlisted.status, unlisted.out) == (1, ""), unlisted
    assert unlisted.errors == ["error: could not list the backups with their sizes"]
    (bucket / "none").mkdir()
    none = checkout.run(LIST, f"{there}none", shell=next(shells))
    assert (none.status, none.out) == (0, "") and f"no backups in '{there}none'" in none.err
    for command in ([LIST], [PRUNE, "--keep", "1"]):
        run = checkout.run(*command, "t:absent/x", shell=next(shells))
        assert run.status == 1 and "error: there is no directory 't:absent/x'" in run.err, run
    assert checkout.left_behind() == []


def test_unreachable_remote_leaves_the_local_list(checkout: Checkout, bucket: Path) -> None:
    write_backup(checkout.named_backups / "here.dump.gz", "2026-01-03 00:00:00", rows=3)
    run = checkout.run(LIST, **WRONG_KEY)
    assert run.status == 3 and "here" in run.out, run
    assert run.err.startswith(f"warning: could not list the backups in 't:{bucket.name}': ")
    run = checkout.run(LIST, f"t:{bucket.name}", **WRONG_KEY)
    assert run.status == 1 and run.out == "" and len(run.errors) == 1, run
    for command in ([LIST], [PRUNE, "--keep", "1"]):
        run = checkout.run(*command, "not/a:remote")
        assert run.status == 2 and "expected a directory of a remote" in run.err, run


@only_with_all
def test_old_backups_on_a_remote_are_deleted_only_on_request(
    checkout: Checkout, bucket: Path
) -> None:
    shells = cycle(SHELLS)
    for directory in (bucket, checkout.named_backups):
        for name in ("a b", "c", "d"):
            write_backup(
                directory / f"{name}.dump.gz", f"2026-01-0{'dca'.find(name[0]) + 1} 00:00:00"
            )
    there = f"t:{bucket.name}"
    shared = bucket / "assets.dump.gz"
    write_backup(shared, "2020-01-01 00:00:00")
    manifest = manifest_of(bucket / "c.dump.gz")
    manifest.write_bytes(manifest.read_bytes())
    run = checkout.run(PRUNE, "--keep", "1", there, shell=next(shells))
    assert run.status == 1 and "cannot ask for confirmation" in run.errors[0], run
    asked = checkout.run_on_terminal(PRUNE, "--keep", "1", there, answer=b"no\n")
    assert f"Delete 2 of 3 backups in '{there}' (" in asked.err, asked
    fails = (
        'case $* in *deletefile*c.dump.gz*) echo "ERROR : refused" >&2; exit 1;; esac; "$REAL" "$@"'
    )
    run = checkout.run(
        PRUNE, "--keep=1", "-y", there, shell=next(shells), **fake(checkout, rclone=fails)
    )
    assert run.status == 1 and f"could not delete {there}/c.dump.gz: refused" in run.err, run
    assert len(files(bucket)) == 6
    run = checkout.run(PRUNE, "--keep=1", "-y", there, shell=next(shells))
    assert run.status == 0 and "deleted 1 backup" in run.err, run
    assert len(files(bucket)) == 4 and len(files(checkout.named_backups)) == 6
    assert checkout.run(PRUNE, "--keep=1", "-y", shell=next(shells)).status == 0
    assert len(files(bucket)) == 4 and len(files(checkout.named_backups)) == 2
    assert shared.exists() and manifest_of(shared).exists()
    assert checkout.left_behind() == []


@only_with_all
def test_doctor_checks_the_remote(direct: Database, bucket: Path) -> None:
    direct.sample_backup()
    write_backup(bucket / "a.dump.gz", "2026-01-01 00:00:00")
    run = direct.checkout.run(DOCTOR)
    assert f"'t:{bucket.name}', backups: 1\n" in run.out, run
    run = direct.checkout.run(DOCTOR, PATH=path_without(direct.checkout, "rclone"))
    assert run.status == 1 and "problem  remote" in run.out and "install rclone" in run.out, run
    without = direct.checkout.run(
        DOCTOR, BACKUP_REMOTE="", PATH=path_without(direct.checkout, "rclone")
    )
    assert " remote " not in without.out and "rclone" not in without.out, without
