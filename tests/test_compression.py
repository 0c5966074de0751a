"""Compression of backups, and what makes a load fast."""

from __future__ import annotations

import gzip
import os
import re
import shutil
from pathlib import Path

import pytest
from support.backups import manifest_of
from support.databases import Database
from support.fakes import fake, path_without
from support.run import Checkout
from support.sampling import only_with_all, sampled
from support.servers import started_container

OUTER_BYTES = 2_000  # what gzip without compression adds to a small archive, at most


def compression(path: Path) -> str:
    """Return what the manifest says of a backup's compression."""
    lines = manifest_of(path).read_text().splitlines()
    return next(line for line in lines if line.startswith("compression: ")).removeprefix(
        "compression: "
    )


def test_shared_backup_is_smallest_and_a_manual_one_is_fast(direct: Database) -> None:
    cdpath = {"CDPATH": f".:{direct.checkout.home}"}  # with which cd prints a line
    assert direct.backup("assets/assets.dump.gz", BACKUP_COMPRESSION="", **cdpath).status == 0
    assert compression(direct.checkout.default_backup) == "zstd:8"
    assert direct.backup("manual", BACKUP_COMPRESSION="auto").status == 0
    assert compression(direct.checkout.path / "backups/postgres/manual.dump.gz") == "zstd:1"


@pytest.mark.parametrize(
    ("word", "used"),
    sampled(
        [
            ("small", "zstd:7"),
            ("smallest", "zstd:8"),
            ("fast", "zstd:1"),
            ("none", "none"),
            ("gzip:9", "gzip:9"),
        ],
        2,
    ),
)
def test_compression_can_be_chosen(direct: Database, tmp_path: Path, word: str, used: str) -> None:
    before = direct.content()
    path = tmp_path / "x.dump.gz"
    run = direct.backup(path, BACKUP_COMPRESSION=word)
    assert run.status == 0, run
    assert compression(path) == used
    direct.execute("DELETE FROM pricing_info")
    assert direct.restore(path).status == 0
    assert direct.content() == before


def test_compression_that_pg_dump_refuses_keeps_the_existing_backup(direct: Database) -> None:
    path = direct.sample_backup()
    earlier = path.read_bytes()
    run = direct.backup(path, BACKUP_COMPRESSION="zstd:magic")
    assert run.status == 1, run
    assert "could not dump database" in run.err and "magic" in run.err
    assert path.read_bytes() == earlier
    assert direct.left_behind() == []


@pytest.mark.parametrize("missing", [(), ("pigz",)], ids=["pigz", "Python"])
def test_outer_gzip_only_stores(direct: Database, tmp_path: Path, missing: tuple[str, ...]) -> None:
    path = tmp_path / "x.dump.gz"
    if not missing and not shutil.which("pigz"):
        pytest.skip("there is no pigz on this machine")
    assert direct.backup(path, PATH=path_without(direct.checkout, *missing)).status == 0
    archive = gzip.decompress(path.read_bytes())
    assert len(archive) < path.stat().st_size <= len(archive) + OUTER_BYTES


def test_gzip_is_used_without_pigz_and_python(direct: Database, tmp_path: Path) -> None:
    direct.checkout.remove_venv()
    path = tmp_path / "x.dump.gz"
    path_variable = path_without(direct.checkout, "pigz", "python3*")
    assert direct.backup(path, PATH=path_variable).status == 0
    assert gzip.decompress(path.read_bytes())[:5] == b"PGDMP"


def test_pigz_is_used_without_gzip(direct: Database, tmp_path: Path) -> None:
    if not shutil.which("pigz"):
        pytest.skip("there is no pigz on this machine")
    path, path_variable = tmp_path / "x.dump.gz", path_without(direct.checkout, "gzip")
    run = direct.backup(path, PATH=path_variable, BACKUP_COMPRESSION="none")
    assert run.status == 0, run
    assert direct.restore(path, PATH=path_variable).status == 0


@only_with_all
def test_server_without_zstd_is_served_with_gzip(checkout: Checkout) -> None:
    with started_container("15") as container:
        database = Database(container, checkout)
        database.create()
        run = database.backup("manual", BACKUP_COMPRESSION="zstd:3")
        assert run.status == 1, run
        assert "has no zstd" in run.err
        run = database.backup("manual", BACKUP_COMPRESSION="lz4:3")
        assert run.status == 1, run
        assert "set BACKUP_COMPRESSION=small, which uses what" in run.err
        for word in ("smallest", "small"):
            assert database.backup("assets/assets.dump.gz", BACKUP_COMPRESSION=word).status == 0
            assert compression(checkout.default_backup) == "gzip:6"
        assert database.backup("manual", BACKUP_COMPRESSION="fast").status == 0
        assert compression(checkout.path / "backups/postgres/manual.dump.gz") == "gzip:1"


def test_load_uses_the_servers_cores_and_lz4(direct: Database, tmp_path: Path) -> None:
    direct.execute(
        "CREATE TABLE long AS SELECT repeat(md5(n::text), 200) AS text"
        " FROM generate_series(1, 50) AS n"
    )
    path = direct.backed_up()
    notes = tmp_path / "notes"
    noting = f'echo "$@" "$PGOPTIONS" >>{notes}\nexec "$REAL" "$@"'
    replaced = fake(direct.checkout, pg_restore=noting)
    for jobs in ("", "3"):
        run = direct.restore(path, RESTORE_JOBS=jobs, **replaced)
        assert run.status == 0, run
    loads = [line for line in notes.read_text().splitlines() if "--dbname" in line]
    jobs = int(re.search(r"--jobs=(\d+) ", loads[0])[1])
    assert (
        1 <= jobs <= len(os.sched_getaffinity(0))
    )  # less where this machine itself has a share only
    assert any("--jobs=3 " in load for load in loads)
    assert all("synchronous_commit=off" in load for load in loads)
    assert direct.execute("SELECT DISTINCT pg_column_compression(text) FROM long") == [("lz4",)]
