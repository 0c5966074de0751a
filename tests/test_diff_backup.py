"""diff-backup: what changed since a backup, or between two, by table, provider and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import Database
from support.run import Checkout
from support.servers import Server

SUPPORT = Path(__file__).parent / "support"
DIFF = "./scripts/diff-backup.sh"
CHANGES = """
UPDATE spec_infos SET uid = 'another';
UPDATE image_infos SET fetched_time = 'now';
UPDATE spec_infos SET cost_per_hour = cost_per_hour * 2
    WHERE provider_name = 'aws' AND v_cpu = 3 AND cost_per_hour > 0;
UPDATE spec_infos SET cost_per_hour = 0.0001, v_cpu = 1 WHERE id = 'aws+region-1+type.1';
UPDATE spec_infos SET cost_per_hour = 0.01 WHERE id = 'azure+region-1+type.10';
DELETE FROM spec_infos WHERE provider_name = 'azure' AND v_cpu < 9;
INSERT INTO spec_infos (id, namespace, provider_name)
    SELECT 'new' || n, 'system', 'gcp' FROM generate_series(1, 1234) AS n;
DELETE FROM latency_infos WHERE source_region = 'region-9';
"""


@pytest.fixture
def tumblebug(direct_server: Server, checkout: Checkout) -> Iterator[Database]:
    """A database with CB-Tumblebug's schema and rows."""
    database = Database(direct_server, checkout)
    database.create_empty()
    for name in ("schema", "rows"):
        database.execute((SUPPORT / f"tumblebug-{name}.sql").read_text())
    yield database
    database.drop()



ODD = '''
UPDATE spec_info SET details = '{"a": 1}', cost_per_hour = cost_per_hour / 2 WHERE id = 'aws+aws-region-1+7';
UPDATE spec_info SET provider_name = E'a\\tb\\nc\\x1b[31m', region_name='x' WHERE false;
DELETE FROM "Odd ""schema""; --"."tablé 'with' $odd$ name" WHERE r = 3;
INSERT INTO "Odd ""schema""; --"."tablé 'with' $odd$ name" ("column ""one""") VALUES (E'\\x1b[31m\\t\\n\\\\.');
INSERT INTO measured VALUES ('2024-06-02', 0.5), ('2024-06-02', 0.5);
INSERT INTO no_columns DEFAULT VALUES;
ALTER TABLE image_info ADD gpu text;
ALTER TABLE region_info DROP CONSTRAINT region_info_pkey CASCADE;
CREATE TABLE "new
line" (a int);
DROP TABLE pricing_info;
UPDATE every_type SET o = 'sad', k = '<a/>' WHERE a = 1;
'''

def test_x(tumblebug):
    tumblebug.backed_up()
    tumblebug.execute(CHANGES)
    for a in (["--rows", "2"],):
        run = tumblebug.checkout.run(DIFF, *a)
        print(run)

def test_y(direct):
    p = direct.sample_backup()
    direct.execute(ODD)
    for a in (["--rows", "3"],["--commit-message"]):
        run = direct.checkout.run(DIFF, *a)
        print(run)
    assert direct.left_behind() == []
    q = direct.backed_up(direct.checkout.path/"new.dump.gz")
    direct.checkout.key.unlink()
    run = direct.checkout.run(DIFF, "--rows", "1", p, "--with", q)
    print(run)
    assert direct.left_behind() == []
    r = direct.checkout.path/"rows.dump.gz"
    direct.execute('DROP TABLE "new\nline"')
    direct.backup("--data-only", r)
    run = direct.checkout.run(DIFF, "--rows", "1", p, "--with", r)
    print(run)
    direct.execute('ALTER TABLE image_info DROP gpu, ADD gru text; ALTER TABLE measured ADD x int DEFAULT 5')
    run = direct.checkout.run(DIFF, "--rows", "1", r)
    print(run)
    run = direct.checkout.run(DIFF, "--rows", "1", r, "--with", r)
    print(run)
    assert direct.left_behind() == []
    assert 0
