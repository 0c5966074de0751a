"""In CB-Tumblebug's repository: the contract of its Makefile and its init.py."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backups import manifest_of, separate_manifest
from support.databases import Database
from support.fakes import fake, path_without, without_python
from support.run import BACKUP, DOCTOR, RESTORE, STATS, Checkout
from support.running import waiting_run
from support.sampling import only_with_all, sampled
from support.servers import Container, Server
from support.waiting import until

SUPPORT = Path(__file__).parent / "support"
INFO = """CB-Tumblebug assets backup
created: 2026-08-21 14:55:03 UTC
summary: 89962 specs (94% priced), 203161 images across 10 CSPs
size:    39M
"""


def test_backup_without_an_argument_is_the_shared_one(direct: Database) -> None:
    run = direct.backup()
    assert run.status == 0, run
    assert direct.checkout.default_backup.is_file()
    assert direct.checkout.run(RESTORE, RESTORE_SKIP_CONFIRM="yes").status == 0


def test_backup_creates_its_directory(direct: Database) -> None:
    path = direct.checkout.path / "new" / "deep" / "x.dump.gz"
    run = direct.backup(path, BACKUP_SKIP_CONFIRM="yes")
    assert run.status == 0, run
    assert path.is_file()


def test_indented_line_of_the_env_file_counts(direct: Database) -> None:
    name = "TB_POSTGRES_DATABASE"
    (direct.checkout.path / ".env").write_text(f"  # ours\n\t {name}={direct.name}\n  \n")
    del direct.checkout.environment[name]
    run = direct.checkout.run(STATS)
    assert run.status == 0 and "warning" not in run.err, run


def test_directory_that_another_run_has_removed_is_created_again(direct: Database) -> None:
    path = direct.checkout.path / "new" / "x.dump.gz"
    with waiting_run(
        direct.checkout, BACKUP, path, program="pg_dump", arguments="*--format=custom*"
    ) as (process, go_on):
        path.parent.rmdir()
        go_on.touch()
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and path.is_file(), err


def test_failed_backup_leaves_no_new_directory(direct: Database) -> None:
    path = direct.checkout.path / "new" / "deep" / "x.dump.gz"
    run = direct.backup(path, TB_POSTGRES_DATABASE="missing")
    assert run.status == 1 and not (direct.checkout.path / "new").exists(), run
    assert "there is no database 'missing'" in run.err


def test_info_has_the_lines_that_init_reads(direct: Database) -> None:
    lines = manifest_of(direct.sample_backup()).read_text().splitlines()
    for field in ("created: ", "summary: ", "size: "):
        assert len([line for line in lines if line.startswith(field)]) == 1


def test_init_captures_the_output_of_a_complete_restore(direct: Database) -> None:
    """As init.py does: [script, path], with the environment inherited, and only 0 counts."""
    path = direct.sample_backup()
    done = subprocess.run(
        [RESTORE, str(path)],
        cwd=direct.checkout.path,
        env={**direct.checkout.environment, "RESTORE_SKIP_CONFIRM": "yes"},
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


def test_killed_restore_keeps_no_pipe_open(direct: Database) -> None:
    """SIGKILL reaches the script alone; its children must not keep init.py waiting."""
    path = direct.sample_backup()
    slow = 'case " $* " in *--jobs*) sleep 5 ;; esac; exec "$REAL" "$@"'
    environment = {"RESTORE_SKIP_CONFIRM": "yes", **fake(direct.checkout, pg_restore=slow)}
    process = direct.checkout.start(RESTORE, path, **environment)
    until(lambda: "staging" in " ".join(sorted(direct.databases())))
    process.kill()
    process.communicate(timeout=3)


def test_statistics_that_fail_are_a_warning_only(direct: Database) -> None:
    (direct.checkout.path / "helpers" / "__main__.py").write_text("raise SystemExit(69)")
    fails = (
        'case " $* " in *border=0*) echo "injected error" >&2; exit 1 ;; esac; exec "$REAL" "$@"'
    )
    run = direct.backup("x.dump.gz", **fake(direct.checkout, psql=fails))
    assert run.status == 0, run
    assert "warning: the new backup is complete; could not show the table statistics" in run.err


def test_nothing_odd_is_printed_without_helpers_and_python(direct: Database) -> None:
    environment = without_python(direct.checkout)
    (direct.checkout.path / "helpers").rename(direct.checkout.path / "other")
    path = direct.checkout.default_backup
    for script in (BACKUP, RESTORE):
        run = direct.checkout.run(script, path, RESTORE_SKIP_CONFIRM="yes", **environment)
        assert run.status == 0, run
        assert "spec_info" in run.out
        assert "python" not in run.err.lower() and "not found" not in run.err


@only_with_all
def test_info_of_cb_tumblebug_is_shown_unverified(direct: Database) -> None:
    path = direct.sample_backup()
    separate_manifest(path)
    manifest_of(path).write_text(INFO)
    run = direct.restore(path)
    assert run.status == 0, run
    summary = "89,962 specs (94% priced), 203,161 images across 10 CSPs (unverified)"
    assert f"holds     {summary}\n" in run.err


# --- which server ---


def test_names_of_the_compose_file_are_understood(direct: Database) -> None:
    names = ("TB_POSTGRES_USER", "TB_POSTGRES_PASSWORD", "TB_POSTGRES_DATABASE")
    user, password, _ = (direct.checkout.environment.pop(name, "") for name in names)
    (direct.checkout.path / ".env").write_bytes(
        b"\xef\xbb\xbfPOSTGRES_USER = " + user.encode() + b"\r\n"
        b"POSTGRES_PASSWORD=" + password.encode() + b"\r\n"
        b"POSTGRES_DB =" + direct.name.encode() + b"\r\n"
        b"TB_POSTGRES_PORT 5432\r\n"
        b"TB_ROOT_PATH something else\r\n"
        b"CONTAINER_CLI='docker\r\n"
        b"PG_BINDIR='' # a comment\r\n"
    )
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert "spec_info" in run.out
    skipped = re.findall(r"skipped line (\d) of '.*', which (.*)", run.err)
    assert skipped == [
        ("4", "is not NAME=VALUE"),
        ("5", "is not NAME=VALUE"),
        ("6", "has an unclosed quote"),
    ], run


def test_settings_of_cb_spider_are_not_taken_for_misspelt_ones(direct: Database) -> None:
    """CB-Tumblebug's .env has them."""
    (direct.checkout.path / ".env").write_text(
        "SP_API_USERNAME=x\nSP_POSTGRES_USER=x\nRESTORE_JOB=2\n"
    )
    run = direct.checkout.run(STATS)
    assert run.status == 0, run
    assert [line for line in run.err.splitlines() if line.startswith("warning: ")] == [
        "warning: RESTORE_JOB: unknown setting; did you mean RESTORE_JOBS?"
    ]
    run = direct.backup("--quiet", "x.dump.gz")
    assert run.err == "warning: RESTORE_JOB: unknown setting; did you mean RESTORE_JOBS?\n"


def test_container_is_used_where_the_endpoint_is_a_name_of_its_network(docker: Database) -> None:
    endpoint = f"{docker.server.name}:5432"
    run = docker.checkout.run(STATS, TB_POSTGRES_ENDPOINT=endpoint, ASSETS_PG_BACKEND="auto")
    assert run.status == 0, run
    assert (
        f"using container '{docker.server.name}', whose name or published port matches" in run.err
    )


def test_without_psql_the_endpoint_must_be_the_container(docker: Database) -> None:
    settings = {"PATH": path_without(docker.checkout, "psql"), "ASSETS_PG_BACKEND": "auto"}
    for endpoint in (f"{docker.server.address}:5432", docker.server.address):
        run = docker.checkout.run(STATS, TB_POSTGRES_ENDPOINT=endpoint, **settings)
        assert run.status == 0 and "whose name or published port matches" in run.err, run
    run = docker.checkout.run(STATS, TB_POSTGRES_ENDPOINT="192.0.2.1:5432", **settings)
    assert run.status == 1 and "192.0.2.1:5432 could not be queried: there is no psql" in run.err


def test_container_is_not_used_instead_of_an_endpoint_whose_name_is_unknown(
    docker: Database,
) -> None:
    before = docker.content()
    endpoint = "db.production.invalid:5432"
    run = docker.restore(
        docker.sample_backup(), TB_POSTGRES_ENDPOINT=endpoint, ASSETS_PG_BACKEND="auto"
    )
    assert run.status == 1 and len(run.errors) == 1, run
    assert f"TB_POSTGRES_ENDPOINT={endpoint} could not be queried: could not trans" in run.err
    assert docker.content() == before


def test_container_is_not_used_instead_of_an_endpoint_that_does_not_answer(
    docker: Database,
) -> None:
    run = docker.checkout.run(STATS, TB_POSTGRES_ENDPOINT="127.0.0.1:1", ASSETS_PG_BACKEND="auto")
    assert run.status == 1, run
    assert len(run.errors) == 1 and "Connection refused" in run.errors[0]
    assert "set ASSETS_PG_BACKEND to docker for the container" in run.err


def test_container_and_endpoint_that_differ_are_refused(docker: Database, direct_server) -> None:
    environment = direct_server.environment() | {"ASSETS_PG_BACKEND": "auto"}
    environment["TB_POSTGRES_CONTAINER"] = docker.server.name
    run = docker.checkout.run(STATS, **environment)
    assert run.status == 1, run
    assert len(run.errors) == 1 and "are two different servers" in run.errors[0]
    assert "set ASSETS_PG_BACKEND" in run.err


def test_container_that_could_not_be_queried_is_not_called_another_server(
    docker: Database, direct_server
) -> None:
    fails = 'case " $* " in *" psql "*) echo "psql: error: injected" >&2; exit 2 ;; esac\n'
    environment = direct_server.environment() | {
        "ASSETS_PG_BACKEND": "auto",
        "TB_POSTGRES_CONTAINER": docker.server.name,
        **fake(docker.checkout, docker=fails + 'exec "$REAL" "$@"'),
        "PG_BINDIR": direct_server.environment().get("PG_BINDIR", ""),
    }
    run = docker.checkout.run(STATS, **environment)
    assert run.status == 1, run
    container = f"container '{docker.server.name}' could not be queried: injected"
    assert len(run.errors) == 1 and container in run.errors[0], run


def test_endpoint_is_used_where_there_is_no_engine(direct: Database) -> None:
    run = direct.checkout.run(STATS, ASSETS_PG_BACKEND="auto", CONTAINER_CLI="no-such-program")
    assert run.status == 0, run
    assert "TB_POSTGRES_ENDPOINT" not in run.err  # as the user set it


def test_endpoint_does_not_stand_in_for_a_container_that_does_not_run(
    container: Container, direct: Database
) -> None:
    run = direct.checkout.run(STATS, ASSETS_PG_BACKEND="auto")
    assert run.status == 1, run
    name = "container 'tumblebug-assets-test-none'"
    assert f"{name} is not running, and TB_POSTGRES_ENDPOINT=" in run.errors[0]
    assert "start the container, or set ASSETS_PG_BACKEND=direct" in run.err


# --- CB-Tumblebug's own schema ---

NEWER = "ALTER TABLE spec_infos ADD gpu text; CREATE INDEX idx_gpu ON spec_infos (gpu)"
OLDER = "ALTER TABLE spec_infos DROP COLUMN system_label"
NO_TABLES = "DROP TABLE spec_infos, image_infos, latency_infos"


@pytest.fixture
def tumblebug(direct_server: Server, checkout: Checkout) -> Iterator[Database]:
    """A database with CB-Tumblebug's schema and rows."""
    database = Database(direct_server, checkout)
    database.create_empty()
    for name in ("schema", "rows"):
        database.execute((SUPPORT / f"tumblebug-{name}.sql").read_text())
    yield database
    database.drop()


def backup_of_kind(database: Database, kind: str, path: Path) -> None:
    """Back up as CB-Tumblebug's own script does, or with ours."""
    if kind == "theirs, data only":
        dump = database.server.client("pg_dump", "-F", "c", "--data-only", "-d", database.name)
        path.write_bytes(gzip.compress(dump.stdout))
    else:
        options = ["--data-only"] if kind == "ours, data only" else []
        assert database.backup(*options, path).status == 0


@pytest.mark.parametrize("kind", sampled(["ours, full", "theirs, data only", "ours, data only"], 1))
@pytest.mark.parametrize(
    ("change", "full", "data_only"),
    [
        ("", "", ""),
        (NEWER, "", ""),
        (OLDER, "", "lacks these columns of the backup"),
        (NO_TABLES, "", "has no tables"),
        ("drop", "", "there is no database"),
    ],
    ids=["same", "newer", "older", "empty", "missing"],
)
def test_each_backup_is_restored_into_each_schema(
    tumblebug: Database, tmp_path: Path, kind: str, change: str, full: str, data_only: str
) -> None:
    query = "SELECT id, v_cpu, cost_per_hour FROM spec_infos ORDER BY id"
    path = tmp_path / "x.dump.gz"
    backup_of_kind(tumblebug, kind, path)
    before = tumblebug.execute(query)
    tumblebug.execute("UPDATE spec_infos SET v_cpu = 0")
    if change == "drop":
        tumblebug.drop()
    elif change:
        tumblebug.execute(change)
    refusal = full if kind == "ours, full" else data_only
    run = tumblebug.restore(path, RESTORE_TRUST="yes")
    assert tumblebug.left_behind() == []
    if refusal:
        assert run.status == 1, run
        assert len(run.errors) == 1 and refusal in run.errors[0], run
        return
    assert run.status == 0, run
    assert tumblebug.execute(query) == before
    columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'spec_infos'::regclass"
    assert tumblebug.execute(f"{columns} AND attname = 'gpu'") == [(int(change == NEWER),)]


def test_summary_has_the_definitions_of_cb_tumblebugs_server(
    tumblebug: Database, tmp_path: Path
) -> None:
    tumblebug.execute(
        "INSERT INTO spec_infos (id, namespace, provider_name) VALUES ('mine', 'mine', 'aws');"
        "INSERT INTO image_infos (resource_type, namespace, provider_name, csp_image_name)"
        " VALUES ('customImage', 'system', 'aws', 'mine')"
    )
    path = tmp_path / "x.dump.gz"
    assert tumblebug.backup(path).status == 0
    summary = "summary: 900 specs (90% priced), 2000 images across 3 CSPs\n"
    assert summary in manifest_of(path).read_text()


def test_last_line_of_the_env_file_counts(direct: Database) -> None:
    """As in a shell."""
    env_file = direct.checkout.path / ".env"
    name = "TB_POSTGRES_DATABASE"
    env_file.write_text(f"{name}=nowhere\n{name}={direct.name}\n")
    del direct.checkout.environment[name]
    assert direct.checkout.run(STATS).status == 0


def test_other_names_of_the_database_are_recognised(checkout: Checkout) -> None:
    (checkout.path / ".env").write_text("TB_POSTGRES_DB=x\n")
    for variable in ("TB_POSTGRES_DBNAME", "TB_POSTGRES_NAME"):
        run = checkout.run(DOCTOR, **{variable: "y"})
        for name in (variable, "TB_POSTGRES_DB"):
            warning = f"warning: {name}: unknown setting; did you mean TB_POSTGRES_DATABASE?\n"
            assert warning in run.err, run
