"""Help, and usage errors: exit 2 before any effect."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from support.databases import Database
from support.fakes import fake, path_without
from support.run import (
    BACKUP,
    CLEAN,
    DOCTOR,
    PROJECT,
    RESTORE,
    ROLLBACK,
    STATS,
    UP,
    Checkout,
)
from support.sampling import sampled

import helpers

SCRIPTS = sorted(
    path.name for path in (PROJECT / "scripts").glob("*.sh") if "usage()" in path.read_text()
)


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_goes_to_stdout(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "--help")
    assert run.status == 0, run
    assert run.out.startswith("Usage: ./scripts/" + script)
    assert "--quiet" in run.out and "--version" in run.out
    assert [line for line in run.out.splitlines() if len(line) > 80] == []
    assert run.err == ""


@pytest.mark.parametrize(
    "script", ["backup-assets", "restore-assets", "rollback-assets", "clean-db", "init", "stats"]
)
def test_help_that_could_not_be_shown_does_nothing_else(direct: Database, script: str) -> None:
    direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    run = direct.checkout.run(
        "sh",
        "-c",
        f"./scripts/{script}.sh --help >/dev/full",
        RESTORE_SKIP_CONFIRM="yes",
        CLEAN_SKIP_CONFIRM="yes",
    )
    assert run.status == 1, run
    assert direct.content() == before


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("arguments", [["--nonsense"], ["-x"], ["a", "b"]])
def test_usage_error_ends_the_run_before_any_effect(
    checkout, script: str, arguments: list[str]
) -> None:
    run = checkout.run(f"./scripts/{script}", *arguments)
    assert run.status == 2, run
    assert "--help' to see the usage" in run.err
    assert checkout.left_behind() == []


@pytest.mark.parametrize("script", ["backup-assets.sh", "restore-assets.sh"])
def test_options_may_follow_the_name(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "x", "--data-only", "y")
    assert run.status == 2 and "got 'x' and 'y'" in run.err, run
    run = checkout.run(f"./scripts/{script}", "x", "--", "--data-only")
    assert run.status == 2 and "got 'x' and '--data-only'" in run.err, run
    run = checkout.run(f"./scripts/{script}", "x", "--help")
    assert run.status == 0 and run.out.startswith("Usage:"), run


@pytest.mark.parametrize("script", ["backup-assets.sh", "restore-assets.sh"])
def test_empty_name_is_a_usage_error(checkout, script: str) -> None:
    run = checkout.run(f"./scripts/{script}", "")
    assert run.status == 2, run
    assert "is empty" in run.err


@pytest.mark.parametrize(
    ("script", "name", "values", "expected"),
    [
        (RESTORE, "RESTORE_SKIP_CONFIRM", ["true"], "yes or no"),
        (RESTORE, "RESTORE_KEEP_PREVIOUS", ["1"], "yes or no"),
        (RESTORE, "RESTORE_TRUST", ["y"], "yes or no"),
        (CLEAN, "CLEAN_SKIP_CONFIRM", ["Yes"], "yes or no"),
        (ROLLBACK, "ROLLBACK_SKIP_CONFIRM", ["Yes"], "yes or no"),
        (RESTORE, "RESTORE_SCHEMA", ["new"], "backup, live or auto"),
        (RESTORE, "RESTORE_JOBS", ["0", "many", "-1", "99999"], "from 1 to 999"),
        (BACKUP, "RESTORE_JOBS", ["0"], "from 1 to 999"),
        (RESTORE, "RESTORE_MAX_BYTES", ["1GB"], "a number of bytes"),
        (RESTORE, "RESTORE_MAX_SECONDS", ["0", "1h"], "a number of seconds, from 1 to 999999999"),
        (UP, "TB_POSTGRES_PORT", ["http", "99999"], "from 1 to 65535"),
        (STATS, "ASSETS_PG_BACKEND", ["telepathy"], "auto, docker, direct or kubectl"),
        (
            STATS,
            "TB_POSTGRES_ENDPOINT",
            ["abc:def", "abc:", ":5432", "[]:5432", "[::1]", "abc:99999", "abc:0"],
            "host:port with a port from 1 to 65535",
        ),
        (
            BACKUP,
            "BACKUP_COMPRESSION",
            ["best", "Small", "zstd:99", "gzip:0", "lz4:13", "zstd:"],
            "auto, fast, small, smallest, none or a value of pg_dump --compress, such as zstd:7",
        ),
    ],
)
def test_wrong_setting_is_refused_with_what_it_can_be(
    checkout: Checkout, script: str, name: str, values: list[str], expected: str
) -> None:
    for value in values:
        run = checkout.run(script, **{name: value})
        assert run.status == 2, run
        assert f"error: {name} must be {expected}, not '{value}'" in run.err
        assert f"hint: correct {name} on" in run.err and "--help" not in run.err


@pytest.mark.parametrize(
    "endpoint",
    ["postgres://me:s3cret@abc:5432", "postgres://abc/x?password=s3cret", "me:s3cret@abc"],
)
def test_password_in_the_endpoint_is_not_shown(checkout: Checkout, endpoint: str) -> None:
    run = checkout.run(STATS, TB_POSTGRES_ENDPOINT=endpoint)
    shown = f"{endpoint.partition(':')[0]}:…"
    assert run.status == 2 and f"a port from 1 to 65535, not '{shown}'" in run.err, run
    assert "s3cret" not in run.out + run.err


def test_directory_without_client_programs_is_refused(checkout: Checkout) -> None:
    for directory in ("/nowhere", str(checkout.home)):
        run = checkout.run(STATS, ASSETS_PG_BACKEND="direct", PG_BINDIR=directory)
        assert run.status == 2, run
        assert f"PG_BINDIR must be a directory that contains psql, not '{directory}'" in run.err


def test_wrong_mode_of_tls_is_refused(checkout: Checkout) -> None:
    run = checkout.run(STATS, ASSETS_PG_BACKEND="direct", PGSSLMODE="yes")
    assert run.status == 2 and "PGSSLMODE must be disable, allow, prefer, " in run.err, run


def test_setting_of_another_script_does_not_stop_a_run(direct: Database) -> None:
    wrong = {"RESTORE_JOBS": "0", "BACKUP_COMPRESSION": "best", "CLEAN_SKIP_CONFIRM": "true"}
    run = direct.checkout.run(STATS, **wrong)
    assert run.status == 0, run


def test_misspelt_settings_are_named(checkout: Checkout) -> None:
    """In .env any that is near one of ours; in the environment only those that start like ours."""
    (checkout.path / ".env").write_text(
        "TB_POSTGRES_CONTANER=x\nexport TUMBLEBUG_SEVER = y\nTB_POSTGRES_USER=z\n"
        "TB_ETCD_PASSWORD=x\nTB_SPIDER_USERNAME=x\nPOSTGRES_PORT=1\n"
        "TB_POSTGRES_HOST=x\ntb_postgres_port=1\nPGSERVICE=x\n"
    )
    run = checkout.run(STATS, RESTORE_SKIP_CONFRIM="yes", MY_API_USERNAME="x", TB_LOGLEVEL="x")
    assert [line for line in run.err.splitlines() if line.startswith("warning")] == [
        "warning: RESTORE_SKIP_CONFRIM: unknown setting; did you mean RESTORE_SKIP_CONFIRM?",
        "warning: TB_POSTGRES_CONTANER: unknown setting; did you mean TB_POSTGRES_CONTAINER?",
        "warning: TB_POSTGRES_HOST: unknown setting; did you mean TB_POSTGRES_ENDPOINT?",
        "warning: TUMBLEBUG_SEVER: unknown setting; did you mean TUMBLEBUG_SERVER?",
        "warning: tb_postgres_port: unknown setting; did you mean TB_POSTGRES_PORT?",
    ]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("'pa#ss' # the password", "pa#ss"),
        ("'x' # don't use 'y'", "x"),
        ('"a b"', "a b"),
        ("a#b # c", "a#b"),
        ("'a'b'", "a'b"),
    ],
)
def test_value_in_the_env_file_ends_at_its_quote_or_comment(
    checkout: Checkout, written: str, value: str
) -> None:
    (checkout.path / ".env").write_text(f"ASSETS_PG_BACKEND={written}\n")
    run = checkout.run(STATS)
    assert run.status == 2 and f"not '{value}'" in run.errors[0], run


def test_lines_of_the_env_file_that_have_no_effect_are_named(checkout: Checkout) -> None:
    (checkout.path / ".env").write_text(
        "# nonsense\n\n  \nTB_ETCD=\"x\nnonsense\nTB_POSTGRES_USER='x\nRESTORE_TRUST\n"
        'export TB_POSTGRES_PASSWORD="s3cret\nPATH=x\r\nFORCE = yes\nDOCKER_CONTEXT = x\n'
        "TMPDIR=/tmp\n"
    )
    run = checkout.run(STATS)
    assert [line for line in run.err.splitlines() if line.startswith("warning")] == [
        "warning: skipped line 5 of './.env', which is not NAME=VALUE",
        "warning: skipped line 6 of './.env', which has an unclosed quote",
        "warning: skipped line 7 of './.env', which is not NAME=VALUE",
        "warning: skipped line 8 of './.env', which has an unclosed quote",
        "warning: skipped line 10 of './.env': set FORCE on the command line instead",
        "warning: skipped line 11 of './.env': set DOCKER_CONTEXT in the environment instead",
        "warning: skipped line 12 of './.env': set TMPDIR in the environment instead",
    ]
    (checkout.path / ".env").unlink()
    (checkout.path / ".env").mkdir()
    run = checkout.run(STATS)
    assert "warning: skipped './.env', which is a directory\n" in run.err


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["--dryrun"], "--dry-run"),
        (["--tabel", "x"], "--table"),
        (["--yse"], "--yes"),
        (["--keep"], "--keep-going"),
        (["--nothing-like-it"], ""),
        (["-x"], ""),
    ],
)
def test_unknown_option_is_compared_with_the_known_ones(
    checkout: Checkout, arguments: list[str], meant: str
) -> None:
    run = checkout.run(RESTORE, *arguments)
    assert run.status == 2, run
    assert f"error: unknown option: {arguments[0]}" in run.err
    assert ("did you mean" in run.err) == bool(meant)
    assert f"did you mean {meant}" in run.err or not meant


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_version_is_one_line_also_through_a_link_from_elsewhere(
    checkout: Checkout, shell: str
) -> None:
    link = checkout.home / "link.sh"
    link.symlink_to(checkout.home / "second")
    (checkout.home / "second").symlink_to(checkout.path / RESTORE)
    del checkout.environment["HOME"]
    run = checkout.run(link, "--version", shell=shell, cwd=checkout.temporary)
    assert (run.status, run.out, run.err) == (0, f"tumblebug-assets {helpers.__version__}\n", "")


def test_version_needs_no_helper(checkout: Checkout) -> None:
    shutil.rmtree(checkout.path / "helpers")
    run = checkout.run(STATS, "--version")
    assert (run.status, run.out, run.err) == (0, "tumblebug-assets (unknown version)\n", "")


def test_quiet_runs_print_nothing(direct: Database) -> None:
    for script, *arguments in (
        (BACKUP, "--quiet"),
        (RESTORE, "-q", "--yes"),
        (RESTORE, "-y", "-q", "--table", "spec_info"),
        (ROLLBACK, "-q", "-y"),
        (CLEAN, "-y", "--quiet"),
    ):
        run = direct.checkout.run(script, *arguments, RESTORE_KEEP_PREVIOUS="yes")
        assert (run.status, run.out, run.err) == (0, "", ""), (script, run)
    assert direct.execute("SELECT count(*) FROM spec_info") == [(0,)]


def test_quiet_run_that_fails_says_why(direct: Database) -> None:
    """The warnings of a run with another exit code than 0 explain it."""
    mv = 'case "$*" in *.info) exit 1 ;; esac; exec "$REAL" "$@"'
    run = direct.checkout.run(
        BACKUP, "-q", **fake(direct.checkout, mv=mv), TB_ASSETS_KEY_FILE="/dev/null/key"
    )
    assert run.status == 3, run
    lines = run.err.splitlines()
    assert len(lines) == 2 and all(line.startswith("warning: ") for line in lines), run
    assert "is not signed" in lines[0] and "could not replace" in lines[1], run
    run = direct.checkout.run(ROLLBACK, "-q")
    assert run.status == 1, run
    assert run.err.startswith("error: there is no previous database"), run


def test_quiet_run_still_asks(direct: Database) -> None:
    run = direct.checkout.run_on_terminal(CLEAN, "-q", answer=b"no\n")
    assert run.status == 1, run
    assert "will be deleted" in run.err and "Empty the database?" in run.err
    assert "cancelled; the database is unchanged" in run.err


def test_output_that_could_not_be_written_is_one_error(direct: Database) -> None:
    run = direct.checkout.run("sh", "-c", "./scripts/stats.sh >/dev/full")
    assert run.status != 0, run
    assert "Traceback" not in run.err and "could not" in run.err


@pytest.mark.parametrize(
    ("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_have_it(checkout, environment: dict, coloured: bool) -> None:
    libraries = ". scripts/lib/text.sh; . scripts/lib/messages.sh"
    messages = f"{libraries}; say_done 'all is done'; warn 'look out'"
    run = checkout.run_on_terminal("sh", "-c", messages, **environment)
    if coloured:
        assert run.err == "\x1b[32mall is done\x1b[0m\r\n\x1b[33mwarning:\x1b[0m look out\r\n"
    else:
        assert run.err == "all is done\r\nwarning: look out\r\n"
    run = checkout.run("sh", "-c", messages, TERM="xterm")
    assert "\x1b" not in run.err


@pytest.mark.parametrize(
    ("script", "option"),
    [
        ("verify-backup.sh", "--level"),
        ("restore-assets.sh", "--schema"),
        ("restore-assets.sh", "--table"),
        ("diff-backup.sh", "--with"),
        ("diff-backup.sh", "--rows"),
        ("prune-backups.sh", "--keep"),
    ],
)
def test_option_without_its_value_is_named(checkout: Checkout, script: str, option: str) -> None:
    for rest in ([], ["--", "./x.dump.gz"]):  # the Makefile adds these
        run = checkout.run(f"./scripts/{script}", option, *rest)
        assert run.status == 2 and f"error: {option} needs a " in run.err, run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--table", "t", "--keep-going"], "cannot combine --table and --keep-going"),
        (["--table", "t", "--schema", "backup"], "cannot combine --table and --schema"),
        (["--data-only", "--schema=backup"], "cannot combine --data-only and --schema backup"),
    ],
)
def test_contradictory_options_are_refused(
    checkout: Checkout, options: list[str], message: str
) -> None:
    run = checkout.run(RESTORE, *options)
    assert run.status == 2, run
    assert message in run.err


def test_url_is_no_file(checkout: Checkout) -> None:
    run = checkout.run(RESTORE, "https://example.com/assets.dump.gz")
    assert run.status == 2, run
    assert "expected a file, not a URL: download 'https://example.com/" in run.err


def test_missing_gzip_is_named(direct: Database) -> None:
    path = direct.sample_backup()
    without = {"PATH": path_without(direct.checkout, "gzip", "pigz")}
    error = "error: there is no gzip on this machine"
    for run in (direct.backup("x.dump.gz", **without), direct.restore(path, **without)):
        assert run.status == 1 and run.errors[0].startswith(error), run
    run = direct.checkout.run(DOCTOR, **without)
    assert run.status == 1 and "there is no gzip" in run.out, run


def test_missing_standard_program_is_named(checkout: Checkout) -> None:
    for name in sampled(["awk", "env", "mktemp", "od", "paste", "tr"], 3):
        run = checkout.run(DOCTOR, PATH=path_without(checkout, name))
        assert run.status == 1, run
        assert run.err.startswith(f"error: there is no '{name}' on this machine")
        run = checkout.run(DOCTOR, "--json", PATH=path_without(checkout, name))
        found = json.loads(run.out)
        assert found["error"]["message"] == f"there is no '{name}' on this machine"
        assert found["error"]["hints"] == ["install it, or add its directory to PATH"]


def test_no_backup_is_made_without_random_numbers(direct: Database) -> None:
    """A random line ends each answer of the server; an empty one would cut the manifest."""
    path = direct.sample_backup()
    before = path.read_bytes()
    nothing = 'case "$*" in */dev/urandom) exit 0 ;; esac; exec "$REAL" "$@"'
    run = direct.backup(path, **fake(direct.checkout, od=nothing))
    assert run.status == 1, run
    assert "could not read random numbers from /dev/urandom" in run.errors[0]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("TB_POSTGRES_USER=x\n".encode("utf-16"), "is in UTF-16"),
        (
            b"FORCE_X=1\n<<<<<<< HEAD\nRESTORE_JOBS=1\n",
            "has an unresolved merge conflict in line 2",
        ),
    ],
    ids=["UTF-16", "conflict"],
)
def test_env_file_in_utf16_or_with_a_conflict_is_refused(
    checkout: Checkout, content: bytes, problem: str
) -> None:
    (checkout.path / ".env").write_bytes(content)
    run = checkout.run(STATS)
    assert run.status == 1 and run.errors == [f"error: './.env' {problem}"], run


@pytest.mark.parametrize("shell", ["dash", "busybox sh", "bash"])
def test_warnings_at_the_end_of_a_run_are_not_muted(tmp_path: Path, shell: str) -> None:
    script = f"""
        set -eu
        root={shlex.quote(str(PROJECT))}
        . "$root/scripts/lib/use.sh"
        warn_at_end() {{ warn 'something was left'; }}
        begin
        at_end warn_at_end
        quiet=yes
        warn 'held back'
        without_messages die 'it failed'
    """
    run = subprocess.run(
        [*shell.split(), "-c", script],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    warnings = "warning: held back\n", "warning: something was left\n"
    assert run.stderr == f"{warnings[0]}error: it failed\n{warnings[1]}"
