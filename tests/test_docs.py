"""The documentation: its commands work, its links exist, its tables are complete."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.databases import Database
from support.run import CONFIRMED, PROJECT

PAGES = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (PROJECT / "docs").glob("*.md")
)

pytestmark = pytest.mark.python
# What another test runs: containers of the user's name, and this very suite.
ELSEWHERE = {"make demo", "make test", "make up", "make down", "make lint", "make faults"}
KUBERNETES = "TB_K8S_CONTEXT="
OTHER_ENGINES = ("DOCKER_CONTEXT=", "CONTAINER_CLI=")  # tests/test_container_engine.py


def commands(page: Path) -> list[str]:
    """Return the commands of a page's bash blocks, without their comments."""
    blocks = re.findall(r"```bash\n(.*?)```", page.read_text(), re.DOTALL)
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and line.split(" ARGS=")[0] not in ELSEWHERE]


def test_commands_for_kubernetes_work(pod: Database) -> None:
    for command in commands(PROJECT / "docs/how-to.md"):
        if command.startswith(KUBERNETES):
            run = pod.checkout.run("bash", "-c", command.replace("my-cluster", "test"))
            assert run.status == 0, f"{command}\n{run}"


@pytest.mark.parametrize("page", ["README.md", "docs/how-to.md", "docs/initialization.md"])
@pytest.mark.timeout(300)  # the how-to page is long
def test_every_command_of_the_page_works_in_its_order(
    direct: Database, bucket: Path, page: str
) -> None:
    directory = direct.checkout.path
    for name in (".gitignore", "README.md"):
        shutil.copy(PROJECT / name, directory / name)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=directory, check=True)
    identity = {
        f"GIT_{who}_{what}": "test@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    remote = {"OFFSITE_TYPE": "alias", "OFFSITE_REMOTE": f"t:{bucket.name}"}
    direct.checkout.environment |= {f"RCLONE_CONFIG_{name}": remote[name] for name in remote}
    unattended = {**CONFIRMED, "INIT_OPTION": "a", "BACKUP_REMOTE": ""}
    endpoint = direct.checkout.environment["TB_POSTGRES_ENDPOINT"]
    direct.sample_backup()
    for command in commands(PROJECT / page):
        if command.startswith((KUBERNETES, *OTHER_ENGINES)):
            continue
        command = command.replace("127.0.0.1:5432", endpoint)
        run = direct.checkout.run("bash", "-c", command, **unattended, **identity)
        assert run.status == 0, f"{command}\n{run}"


def test_readme_is_short() -> None:
    assert len((PROJECT / "README.md").read_text().splitlines()) < 100


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_named_file_is_there(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (page.parent / target).exists(), target
    for named in re.findall(r"`((?:tests|scripts|docs)/[\w./-]+)(?: [^`]*)?`", text):
        assert (PROJECT / named).exists(), named


def has_word(word: str, text: str) -> bool:
    """Return whether the text has this variable or option, not only one whose name contains it."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


def test_reference_names_every_variable() -> None:
    defaults = re.findall(r': "\$\{(\w+):=', (PROJECT / "scripts/lib/settings.sh").read_text())
    text = (PROJECT / "docs/reference.md").read_text()
    assert [name for name in defaults if not has_word(name, text) and name != "TMPDIR"] == []


def test_reference_names_every_option() -> None:
    options = set(
        re.findall(
            r"^  (--[a-z-]+)",
            "".join(p.read_text() for p in (PROJECT / "scripts").glob("*.sh")),
            re.MULTILINE,
        )
    )
    text = (PROJECT / "docs/reference.md").read_text()
    assert {option for option in options if not has_word(option, text)} == set()
