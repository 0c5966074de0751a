"""The manifest: what it holds, and that restores are verified against it."""

from __future__ import annotations

import gzip
import hashlib
import re
import subprocess
import time
from pathlib import Path

import pytest
from support.backups import (
    LARGEST_MEMBER,
    content_of,
    manifest_of,
    members,
    remove_manifest,
    rewrite_manifest,
    separate_manifest,
)
from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, LIST, Checkout
from support.sampling import only_with_all, sampled

FIELDS = ["created", "summary", "size", "bytes", "sha256", "compression", "database"]
FIELDS += ["database-bytes", "encoding", "server", "holds", "schema", "definitions"]
FIELDS += ["restore-tested", "rows"]
POISON = [
    *(f"{name}: 0" for name in FIELDS),
    "tables: x",
    "seal: x",
    "signature: x",
    "manifest: x",
    " ",
    "",
]


def manifest(database: Database) -> str:
    path = database.backed_up()
    return manifest_of(path).read_text()


def test_manifest_lists_what_the_backup_holds(database: Database) -> None:
    path = database.checkout.default_backup
    assert database.backup(path, BACKUP_COMPRESSION="smallest").status == 0
    text = manifest_of(path).read_text()
    lines = text.splitlines()
    assert lines[0] == "CB-Tumblebug assets backup"
    assert re.fullmatch(r"created: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[1])
    assert lines[2] == "summary: 1200 specs (80% priced), 2000 images across 3 CSPs"
    assert re.search(r"^  aws +666 +400 +80%$", text, re.MULTILINE)
    content = content_of(path)
    assert f"\nsha256: {hashlib.sha256(content).hexdigest()}\n" in text
    assert path.read_bytes() == content + members(text.encode())
    assert "\nholds: schema and data\n" in text
    fields = text.partition("\n\n")[0].splitlines()[1:]
    assert [line.partition(": ")[0] for line in fields] == FIELDS
    assert re.search(r"^1200 -?\d+ public\.spec_info$", text, re.MULTILINE)
    assert re.search(r"^0 0 public\.empty_table$", text, re.MULTILINE)
    assert re.search(
        r'^7 -?\d+ "Odd ""schema""; --"\."tablé \'with\' \$odd\$ name"$', text, re.MULTILINE
    )


def test_other_databases_get_a_summary_of_their_own(direct: Database) -> None:
    direct.drop()
    direct.create_empty()
    direct.execute("CREATE TABLE t (n int)")
    assert re.search(r"^summary: 1 table, [\d.]+ MB$", manifest(direct), re.MULTILINE)


def test_names_with_line_ends_stay_on_their_line(direct: Database) -> None:
    direct.execute('CREATE TABLE "two\nlines" (n int)')
    before = direct.content()
    assert '\n0 0 "public.\\"two\\nlines\\""\n' in manifest(direct)
    assert direct.restore().status == 0
    assert direct.content() == before


def poison(database: Database) -> None:
    """Add providers named like fields, and a view, which untrusted backups may not hold."""
    for name in POISON:
        database.execute(f"INSERT INTO image_info (id, provider_name) VALUES ('{name}', '{name}')")
    database.execute("CREATE VIEW v AS SELECT 1 AS n")


def as_earlier(text: str, key: bytes) -> str:
    """Return a manifest of earlier versions: providers not indented, before most fields."""
    head, providers, tables = text.split("\n\n")
    fields = head.splitlines()
    tables = re.sub("^(signature|manifest): .*\n", "", tables, flags=re.MULTILINE)
    providers = re.sub("^  ", "", providers, flags=re.MULTILINE)
    body = "\n\n".join(["\n".join(fields[:3]), providers, "\n".join(fields[3:]), tables])
    inner = hashlib.sha256(key + body.encode()).hexdigest()
    signature = hashlib.sha256(key + f"{inner}\n".encode()).hexdigest()
    body += f"seal: {signature}\n"
    return body + f"manifest: {hashlib.sha256(body.encode()).hexdigest()}\n"


@only_with_all
@pytest.mark.parametrize("layout", sampled(["today's", "earlier"], 1))
def test_provider_that_looks_like_a_field_is_none(direct: Database, layout: str) -> None:
    poison(direct)
    before = direct.content()
    path = direct.backed_up()
    info = manifest_of(path)
    if layout == "earlier":
        separate_manifest(path)
        info.write_text(as_earlier(info.read_text(), direct.checkout.key.read_bytes()))
        for name in ("sha256: 0", "bytes: 0", "seal: x"):
            assert f"\n{name}" in info.read_text()
    assert "  ok  " in direct.checkout.run(LIST).out
    direct.execute("DROP VIEW v; DELETE FROM pricing_info")
    run = direct.restore(path)
    assert run.status == 0, run
    assert "no manifest" not in run.err and "not signed with your key" not in run.err
    assert re.search(
        rf"^holds +1,200 specs .* {2000 + len(POISON):,} images", run.err, re.MULTILINE
    ), run
    assert direct.content() == before


@pytest.mark.parametrize("layout", sampled(["today's", "earlier"], 1))
def test_signature_is_checked_in_either_layout(direct: Database, layout: str) -> None:
    poison(direct)
    path = direct.backed_up()
    info = manifest_of(path)
    if layout == "earlier":
        separate_manifest(path)
        info.write_text(as_earlier(info.read_text(), b"another key"))
    else:
        direct.checkout.key.write_text("0" * 64)
    run = direct.restore(path)
    assert run.status == 1 and "view public.v" in run.err, run


def test_rows_without_a_provider_have_a_line(direct: Database) -> None:
    direct.execute("UPDATE image_info SET provider_name = NULL")
    assert re.search(r"^  - +2000 +0 +-$", manifest(direct), re.MULTILINE)


def test_long_name_of_a_provider_is_complete(direct: Database) -> None:
    direct.execute("UPDATE image_info SET provider_name = 'openstack-region-one'")
    assert re.search(r"^  openstack-region-one +2000 +0 ", manifest(direct), re.MULTILINE)


def test_every_built_in_type_has_a_fingerprint(database: Database) -> None:
    types = database.execute(
        "SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace"
        " AND typrelid = 0"
        " AND typtype IN ('b', 'r', 'm') AND typname NOT IN ('pg_node_tree', 'pg_ndistinct',"
        " 'pg_dependencies',"
        " 'pg_mcv_list', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary')"
        " AND typelem NOT IN (SELECT oid FROM pg_type WHERE typrelid <> 0 OR typtype = 'p')"
    )
    assert len(types) > 100
    columns = ", ".join(f'"column {name}" pg_catalog."{name}"' for (name,) in types)
    database.execute(f"CREATE TABLE all_types ({columns}); INSERT INTO all_types DEFAULT VALUES")
    assert re.search(r"^1 -?\d+ public\.all_types$", manifest(database), re.MULTILINE)
    run = database.restore()
    assert run.status == 0, run


def tables(manifest: str) -> list[str]:
    """Return the manifest's lines on tables."""
    return [line for line in manifest.splitlines() if re.match(r"\d+ -?\d+ ", line)]


@pytest.mark.parametrize(
    "change",
    sampled(
        [
            "UPDATE every_type SET a = 3 WHERE a = 1",
            "UPDATE every_type SET c = 0.10000002 WHERE a = 1",
            "UPDATE every_type SET e = '12.35' WHERE a = 1",
            "UPDATE every_type SET k = '<a b=\"d\"/>' WHERE a = 1",
            "UPDATE every_type SET o = 'sad' WHERE a = 1",
            "UPDATE every_type SET n = '{1,2,3}' WHERE a = 1",
            "UPDATE every_type SET t = '{\"a\": 2}' WHERE a = 1",
            "UPDATE every_type SET f = NULL WHERE a = 1",
            "UPDATE image_info SET details = '{}' WHERE id = 'image-7'",
            "UPDATE spec_info SET cost_per_hour = cost_per_hour + 0.000001 WHERE id LIKE '%+1'",
            "UPDATE spec_info SET updated = updated + interval '1 microsecond' WHERE id LIKE '%+1'",
            "INSERT INTO pricing_info SELECT * FROM pricing_info LIMIT 1",
            "UPDATE measured SET value = -0.0 WHERE day = '2024-06-02'",
        ],
        6,
    ),
)
def test_smallest_change_of_a_row_changes_the_fingerprint(direct: Database, change: str) -> None:
    before = tables(manifest_of(direct.sample_backup()).read_text())
    direct.execute(change)
    assert len(set(before) - set(tables(manifest(direct)))) == 1


def test_fingerprint_ignores_row_order_settings_and_column_order(direct: Database) -> None:
    before = tables(manifest_of(direct.sample_backup()).read_text())
    name = direct.name
    direct.execute(
        f"""
        CREATE TABLE copy AS TABLE spec_info; TRUNCATE spec_info CASCADE;
        ALTER TABLE spec_info DROP COLUMN v_cpu; ALTER TABLE spec_info ADD COLUMN v_cpu int;
        INSERT INTO spec_info
            (id, provider_name, region_name, v_cpu, memory_gi_b, cost_per_hour, details, updated)
            SELECT * FROM copy ORDER BY md5(id); DROP TABLE copy;
        INSERT INTO pricing_info
            SELECT id, cost_per_hour, tstzrange(updated, NULL) FROM spec_info
            WHERE cost_per_hour > 0;
        ALTER DATABASE {name} SET DateStyle = 'German';
        ALTER DATABASE {name} SET TimeZone = 'Asia/Seoul';
        ALTER DATABASE {name} SET extra_float_digits = -15;
        ALTER DATABASE {name} SET bytea_output = 'escape';
        ALTER DATABASE {name} SET IntervalStyle = 'sql_standard';
        ALTER DATABASE {name} SET search_path = nowhere
        """
    )
    assert tables(manifest(direct)) == before


def test_manifest_and_dump_are_of_one_moment(direct: Database) -> None:
    """Rows go on coming while the backup runs; what the dump holds is what the manifest says."""
    direct.execute(
        "CREATE TABLE busy AS SELECT n, repeat('x', 500) AS filler"
        " FROM generate_series(1, 60000) AS n"
    )
    backup = direct.checkout.start(BACKUP, direct.checkout.default_backup)
    with direct.server.connect(direct.name) as connection:
        connection.autocommit = True
        while backup.poll() is None:
            connection.execute("INSERT INTO busy SELECT n, 'late' FROM generate_series(1, 50) AS n")
    assert backup.returncode == 0, backup.communicate()
    run = direct.restore()
    assert run.status == 0, run
    assert "verifying the data against the manifest" in run.err


def test_table_truncated_and_filled_at_once_is_never_seen_empty(
    direct: Database,
) -> None:
    """TRUNCATE empties a table for older snapshots too: tables are locked before the snapshot."""
    direct.execute("CREATE TABLE filled AS SELECT n FROM generate_series(1, 1000) AS n")
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    )
    with direct.server.connect(direct.name) as connection, direct.server.connect() as observer:
        observer.autocommit = True
        connection.execute(
            "TRUNCATE filled; INSERT INTO filled SELECT n FROM generate_series(1, 1000) AS n"
        )
        backup = direct.checkout.start(BACKUP, direct.checkout.default_backup)
        while observer.execute(waiting, [direct.name]).fetchone() == (0,) and backup.poll() is None:
            time.sleep(0.02)
        connection.commit()
    assert backup.wait(timeout=60) == 0, backup.communicate()
    backup.communicate()
    info = direct.checkout.default_backup.with_name("assets.dump.gz.info").read_text()
    assert re.search(r"^1000 -?\d+ public\.filled$", info, re.MULTILINE)


@pytest.mark.parametrize("beside", sampled(["nothing", "an earlier manifest"], 1))
def test_manifest_in_the_file_is_enough(direct: Database, beside: str) -> None:
    """Only the file was committed, or copied."""
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")  # only of a backup of our own
    path = direct.backed_up()
    earlier = manifest_of(path).read_text()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    direct.backed_up()
    direct.execute("DELETE FROM image_info")
    manifest_of(path).unlink()
    if beside != "nothing":
        manifest_of(path).write_text(earlier)
    run = direct.restore()
    assert run.status == 0, run
    assert "verifying the data against the manifest" in run.err
    assert ("using the manifest inside" in run.err) == (beside != "nothing")
    assert direct.content() == before


@only_with_all
def test_large_manifest_is_skipped_by_every_program_that_unpacks(direct: Database) -> None:
    direct.execute(
        "DO $$ BEGIN FOR n IN 1..250 LOOP"
        " EXECUTE 'CREATE TABLE ' || repeat('long_name_', 5) || n || ' (n int)';"
        " END LOOP; END $$"
    )
    path = direct.backed_up()
    assert manifest_of(path).stat().st_size > 2 * LARGEST_MEMBER
    archive = gzip.decompress(content_of(path))
    assert gzip.decompress(path.read_bytes()) == archive
    for program in ("gzip -dc", "pigz -dc", "busybox gunzip -c", "zcat"):
        unpacked = subprocess.run([*program.split(), path], capture_output=True, check=True)
        assert unpacked.stdout == archive and unpacked.stderr == b""
    run = direct.restore("--dry-run", shell="busybox sh")
    assert run.status == 0 and "no manifest" not in run.err, run


@pytest.mark.parametrize("shell", ["dash", "busybox sh"])
def test_manifest_of_any_size_is_read_back(checkout: Checkout, shell: str) -> None:
    """Its last line must not be split over two members."""
    script = """root=$1
        . "$root/scripts/lib/use.sh"
        use backup-file embedded-manifest
        begin
        for size in 100 7980 7981 7982 7990 7999 8000 8001 15980 15981 15990 15999 16000; do
            head -c "$((size - 1))" /dev/zero | tr '\\0' x >"$work/manifest"
            echo >>"$work/manifest"
            { echo content && embed_manifest "$work/manifest"; } >"$work/file"
            embedded_manifest "$work/file" | cmp - "$work/manifest" || die "$size is not read back"
        done"""
    run = subprocess.run(
        [*shell.split(), "-c", script, "sh", checkout.path], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, ""), run


@pytest.mark.parametrize("line", ["12 foo", "12a 5 t", "1234567890123456 5 t"])
def test_malformed_line_of_a_table_is_refused(direct: Database, line: str) -> None:
    path = direct.sample_backup()
    text = manifest_of(path).read_text()
    rewrite_manifest(path, text.replace("\n0 0 public.empty_table\n", f"\n{line}\n"))
    run = direct.restore(path)
    assert run.status == 1 and "has a malformed line in its list of tables" in run.err, run


def test_manifest_of_another_backup_is_not_used(direct: Database) -> None:
    """A file without a manifest in it, beside that of another backup."""
    path = direct.sample_backup()
    other = manifest_of(path).read_text()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    path = direct.backed_up()
    separate_manifest(path)
    manifest_of(path).write_text(other)
    direct.execute("DELETE FROM image_info")
    run = direct.restore()
    assert run.status == 0, run
    assert re.search(
        r"\.info', created \d{4}-.* UTC, does not describe this file:"
        " cannot verify row counts and fingerprints\n",
        run.err,
    )
    assert "not signed with your key" in run.err
    assert direct.content() == before


def test_copy_beside_a_file_whose_end_is_missing_is_used(direct: Database) -> None:
    path = direct.sample_backup()
    path.write_bytes(path.read_bytes()[:-100])
    run = direct.restore("--dry-run")
    assert run.status == 0 and run.err.count("warning: ") == 1, run
    assert "warning: unexpected bytes after the archive in " in run.err


def test_cut_file_is_refused_whichever_manifest_is_beside_it(direct: Database) -> None:
    path = direct.sample_backup()
    other = manifest_of(path).read_text()
    direct.execute("DELETE FROM pricing_info")
    direct.backed_up().write_bytes(path.read_bytes()[:-3000])
    before = direct.content()
    for manifest in (manifest_of(path).read_text(), other):
        manifest_of(path).write_text(manifest)
        run = direct.restore()
        assert run.status == 1, run
        assert "is damaged or cut short" in run.err
        assert direct.content() == before


@pytest.mark.parametrize("where", ["in the file", "beside the file"])
def test_edited_manifest_is_refused(direct: Database, where: str) -> None:
    path = direct.sample_backup()
    edited = manifest_of(path).read_text().replace("1200 specs", "9999 specs")
    content = content_of(path)
    if where == "in the file":
        path.write_bytes(content + members(edited.encode()))
    else:
        path.write_bytes(content)
        manifest_of(path).write_text(edited)
    run = direct.restore()
    assert run.status == 1, run
    assert "is damaged or was edited" in run.err


def test_backup_of_a_newer_version_is_refused(direct: Database) -> None:
    path = direct.sample_backup()
    lines = manifest_of(path).read_text()
    rewrite_manifest(path, lines.replace("assets backup\n", "assets backup, version 2\n"))
    before = direct.content()
    run = direct.restore()
    assert run.status == 1, run
    assert "written by a newer version of these scripts; the database is unchanged" in run.err
    assert "update these scripts with 'git pull'" in run.err
    assert direct.content() == before


def test_signed_manifest_in_another_file_is_refused(direct: Database) -> None:
    path = direct.sample_backup()
    manifest = manifest_of(path).read_bytes()
    other = direct.backed_up(direct.checkout.path / "other.dump.gz")
    path.write_bytes(content_of(other) + members(manifest))
    before = direct.content()
    run = direct.restore()
    assert run.status == 1, run
    assert "is damaged" in run.err
    assert direct.content() == before


def test_backup_without_our_manifest_is_restored_with_a_warning(
    direct: Database,
) -> None:
    before = direct.content()
    path = direct.sample_backup()
    remove_manifest(path)
    theirs = "CB-Tumblebug assets backup\ncreated: 2026-01-15 14:30:22 UTC\nsummary: 1 specs\n"
    for text, warning in ((None, "no manifest found: "), (theirs, "has no hash of the file: ")):
        if text:
            manifest_of(path).write_text(text)
        direct.execute("DELETE FROM pricing_info")
        run = direct.restore()
        assert run.status == 0, run
        assert f"{warning}cannot verify row counts and fingerprints" in run.err
        assert direct.content() == before


@only_with_all
def test_link_to_a_backup_has_the_manifest_of_the_backup(direct: Database, tmp_path: Path) -> None:
    direct.execute("CREATE VIEW v AS SELECT 1 AS n")  # only of a backup of our own
    before = direct.content()
    path = direct.backed_up()
    separate_manifest(path)
    first, second = (tmp_path / name / "latest.dump.gz" for name in ("a", "b"))
    for link, target in ((first, path), (second, Path("..", "a", "latest.dump.gz"))):
        link.parent.mkdir()
        link.symlink_to(target)
        direct.execute("DROP VIEW v; DELETE FROM pricing_info")
        run = direct.restore(link)
        assert run.status == 0, run
        assert "verifying the data against the manifest" in run.err
        assert direct.content() == before


def test_manifest_of_a_link_is_used_where_its_target_has_none(
    direct: Database, tmp_path: Path
) -> None:
    link = direct.sample_backup()
    separate_manifest(link)
    link.rename(tmp_path / "object")
    link.symlink_to(tmp_path / "object")
    run = direct.restore(link)
    assert run.status == 0, run
    assert "verifying the data against the manifest" in run.err


def test_load_that_lost_a_row_is_not_swapped_in(direct: Database, tmp_path) -> None:

    path = direct.sample_backup()
    direct.execute("DELETE FROM pricing_info")
    before = direct.content()
    loses_a_row = (
        '"$REAL" "$@" || exit\n'
        "for argument; do"
        " case $argument in --dbname=*) database=${argument#--dbname=} ;; esac; done\n"
        '[ -z "${database-}" ] || psql -qX -d "$database" -c "DELETE FROM public.image_info WHERE'
        " id = 'image-7'\""
    )
    run = direct.restore(path, **fake(direct.checkout, pg_restore=loses_a_row))
    assert run.status == 1, run
    assert "the loaded data differs from the manifest: public.image_info" in run.err
    assert direct.content() == before
    assert direct.left_behind() == []


def test_error_names_at_most_twenty_tables_that_differ(direct: Database) -> None:
    path = direct.sample_backup()
    tables = "".join(f"1 1 public.{n:02}{'x' * 300}\n" for n in range(10, 40))
    text = re.sub("^signature: .*\n", tables, manifest_of(path).read_text(), flags=re.MULTILINE)
    rewrite_manifest(path, text)
    run = direct.restore(path, RESTORE_TRUST="yes")
    assert run.status == 1 and len(run.errors) == 1, run
    assert run.err.count("public.") == 20 and f"public.29{'x' * 241}... and 10 more" in run.err, run


def test_keep_going_lists_tables_that_differ_without_a_blank_line(direct: Database) -> None:
    path = direct.sample_backup()
    text = manifest_of(path).read_text()
    text = re.sub("^signature: .*\n", "1 1 public.gone\n", text, flags=re.MULTILINE)
    rewrite_manifest(path, text)
    run = direct.restore("--keep-going", path, RESTORE_TRUST="yes")
    assert run.status == 3 and "\ntables that differ from the backup: " in run.err, run
    assert "\n\n" not in run.err, run


def test_backup_without_a_home_directory_is_not_signed(direct: Database, tmp_path: Path) -> None:
    """A home directory that does not exist, as of many services, is not created."""
    nowhere = tmp_path / "nowhere"
    del direct.checkout.environment["HOME"]
    for environment in ({}, {"HOME": str(nowhere)}):
        run = direct.checkout.run("dash", BACKUP, **environment)
        assert run.status == 0, run
        assert "there is no home directory for the key; set TB_ASSETS_KEY_FILE" in run.err
        assert run.err.count("this backup is not signed") == 1, run
        assert "signature:" not in manifest_of(direct.checkout.default_backup).read_text()
    assert not nowhere.exists()


def test_key_may_be_a_name_without_a_directory(direct: Database) -> None:
    key = {"TB_ASSETS_KEY_FILE": "mykey", "PWD": str(direct.checkout.path)}
    assert direct.backup("x", **key).status == 0
    assert (direct.checkout.path / "mykey").is_file()
    assert "trusted" in direct.checkout.run(LIST, "--json", **key).out


def test_backup_with_an_unreadable_key_is_not_signed(direct: Database) -> None:
    direct.checkout.key.mkdir(parents=True)
    for _ in ("first", "replaces the first"):
        run = direct.checkout.run(BACKUP, FORCE="")
        assert run.status == 0, run
        assert run.err.count("warning:") == 1 and "could not read the key" in run.err, run
        assert "this backup is not signed" in run.err


def test_cut_answer_is_not_compared_with_the_manifest(direct: Database) -> None:
    path = direct.backed_up()
    before = direct.content()
    psql = """case "$PGDATABASE" in assets_staging_*) "$REAL" "$@" | head -n 1 ;;
        *) exec "$REAL" "$@" ;; esac"""
    run = direct.restore(path, **fake(direct.checkout, psql=psql))
    assert run.status == 1 and "differs from the manifest" not in run.err, run
    assert "could not read the staging database" in run.err
    assert direct.content() == before and direct.left_behind() == []
