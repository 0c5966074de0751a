"""schedule: nightly backups for cron, systemd and Kubernetes, which do what they say."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.databases import Database
from support.fakes import fake
from support.run import BACKUP, PROJECT, SCHEDULE, Checkout
from support.servers import IMAGE
from support.storage import KEY, RCLONE, SECRET, Storage


def test_cron_and_systemd_get_this_projects_path(checkout: Checkout) -> None:
    run = checkout.run("make", "schedule")
    assert run.status == 0, run
    line = run.out.splitlines()[-1]
    program = ["PATH=$PATH:/usr/local/bin:/opt/homebrew/bin:/snap/bin", BACKUP]
    assert shlex.split(line)[5:10] == ["cd", str(checkout.path), "&&", *program]
    run = checkout.run(SCHEDULE, "systemd")
    command = re.search(r"^ExecStart=(.*)$", run.out, re.MULTILINE)[1]
    assert run.status == 0, run
    script = str(checkout.path / "scripts/backup-assets.sh")
    assert shlex.split(command) == ["/bin/sh", script, "auto"]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout
    assert f"\nUser={user}" in run.out  # systemd then sets HOME


def test_path_may_have_any_character(checkout: Checkout) -> None:
    checkout.path = checkout.path.rename(checkout.home / "a $b $$c'd\"e\\f%g%%h&i|j 가")
    script = str(checkout.path / "scripts/backup-assets.sh")
    run = checkout.run(SCHEDULE, "cron")
    command = run.out.splitlines()[-1].split(maxsplit=5)[5].replace("\\%", "%")
    assert shlex.split(command)[:2] == ["cd", str(checkout.path)], run
    run = checkout.run(SCHEDULE, "systemd")
    command = re.search(r"^ExecStart=(.*)$", run.out, re.MULTILINE)[1]
    words = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(command)]
    assert words == ["/bin/sh", script, "auto"], run
    if not shutil.which("systemd-analyze"):
        return
    unit = checkout.home / "assets.service"
    unit.write_text(re.search(r"^\[Unit].*?(?=^# ---)", run.out, re.MULTILINE | re.DOTALL)[0])
    verify = ["systemd-analyze", "verify", "--man=no", unit]
    done = subprocess.run(verify, capture_output=True, text=True)
    assert "assets.service" not in done.stderr, done


def test_settings_that_only_the_environment_has_are_named(checkout: Checkout) -> None:
    (checkout.path / ".env").write_text("TB_POSTGRES_USER=me\nBACKUP_REMOTE=a:b\n")
    same = {"TB_POSTGRES_USER": "me", "TB_POSTGRES_DATABASE": "tumblebug", "FORCE": "yes"}
    same |= {"TB_POSTGRES_CONTAINER": "", "BACKUP_COMPRESSION": "auto"}
    for kind in ("cron", "systemd"):
        run = checkout.run(SCHEDULE, kind, PG_BINDIR="/p g", BACKUP_REMOTE="c:d", **same)
        which = "BACKUP_REMOTE, PG_BINDIR; put them into './.env'"
        assert run.status == 0, run
        assert run.err == (
            f"warning: {kind} will not have these settings of your environment: {which}\n"
        )
        assert checkout.run(SCHEDULE, kind, **same).err == ""


def test_variables_that_the_env_file_cannot_set_are_named(checkout: Checkout) -> None:
    run = checkout.run(SCHEDULE, "cron", DOCKER_HOST="tcp://x", XDG_CONFIG_HOME="/x")
    assert run.status == 0, run
    named = "DOCKER_HOST, XDG_CONFIG_HOME; set them in the job: '.env' cannot"
    assert f"warning: cron will not have these variables of your environment: {named}\n" in run.err


def test_user_without_a_name_is_given_by_number(checkout: Checkout) -> None:
    nameless = fake(checkout, id='case $* in -un) id -u; exit 1 ;; esac; exec "$REAL" "$@"')
    run = checkout.run("./scripts/schedule.sh", "systemd", **nameless)
    assert f"\nUser={os.geteuid()}\n" in run.out, run


def test_cron_is_the_default(checkout: Checkout) -> None:
    assert checkout.run(SCHEDULE).out == checkout.run(SCHEDULE, "cron").out != ""


def test_unknown_kind_of_job_is_a_usage_error(checkout: Checkout) -> None:
    run = checkout.run(SCHEDULE, "monthly")
    assert run.status == 2 and "expected cron, systemd or kubernetes" in run.err, run


def test_every_file_has_a_kind(checkout: Checkout) -> None:
    for path in (PROJECT / "docs/schedules").iterdir():
        assert checkout.run(SCHEDULE, path.name).status == 0


@pytest.fixture
def image(checkout: Checkout) -> Iterator[str]:
    """The image of the recipe that the CronJob begins with, without rclone."""
    (checkout.path / ".env").write_text("TB_POSTGRES_PASSWORD=secret\n")
    (checkout.path / "scripts" / "lib" / "text.sh").chmod(0o600)  # as with a strict umask
    printed = checkout.run("make", "k8s-cronjob")
    assert printed.status == 0, printed
    recipe = re.search(r"printf .*?docker build .*?\.\n", printed.out.replace("\n#", "\n"), re.S)[0]
    tag = f"tumblebug-assets-tests/cronjob:{os.getpid()}"
    recipe = recipe.replace("REGISTRY/tumblebug-assets", tag).replace("postgres:16-alpine", IMAGE)
    install = " 'RUN apk add --no-cache rclone'"
    assert install in recipe  # from the network
    run = checkout.run("sh", "-c", recipe.replace(install, ""), DOCKER_BUILDKIT="0")
    assert run.status == 0, run
    yield tag
    subprocess.run(["docker", "rmi", tag], check=True, stdout=subprocess.DEVNULL)


def test_cronjob_backs_up_to_object_storage_without_rights(
    docker: Database, storage: Storage, image: str
) -> None:
    """Its container runs by docker, with the limits and the variables that the CronJob sets."""
    bucket = storage.new_bucket()
    (docker.checkout.path / ".env").unlink()
    docker.sample_backup()  # creates the key
    printed = docker.checkout.run("make", "k8s-cronjob")
    pod = yaml.safe_load(printed.out)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    program, *arguments = pod["containers"][0]["command"]
    variables = variables_of(pod, docker, storage, bucket.name)
    options = [*limits_of(pod), *mounts_of(pod, docker, image), "--entrypoint", program]
    options += [word for pair in variables.items() for word in ("-e", "=".join(pair))]
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "host", *options, image, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done
    find = ["docker", "run", "--rm", "--entrypoint", "find", image, "/opt/tumblebug-assets"]
    found = subprocess.run([*find, "-type", "f"], capture_output=True, text=True, check=True).stdout
    suffixes = {Path(name).suffix or Path(name).name for name in found.split()}
    assert suffixes == {".sh", ".awk", ".sql", ".py", "Makefile"}
    (copy,) = (bucket / "tumblebug").glob("tumblebug_db_*.dump.gz")
    run = docker.restore(copy)
    assert run.status == 0 and "not signed" not in run.err, run


def limits_of(pod: dict) -> list[str]:
    """Return the options of docker run for the pod's user and what its container may do."""
    user, limits = pod["securityContext"], pod["containers"][0]["securityContext"]
    assert user["runAsNonRoot"] and limits["readOnlyRootFilesystem"]
    assert limits["capabilities"]["drop"] == ["ALL"] and not limits["allowPrivilegeEscalation"]
    return [
        *("--user", f"{user['runAsUser']}:{user['runAsGroup']}", "--read-only"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    ]


def mounts_of(pod: dict, database: Database, image: str) -> list[str]:
    """Return the options of docker run for the pod's volumes, and rclone."""
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    key = database.checkout.home / "secret-key"
    key.write_text(database.checkout.key.read_text())
    give = f"chgrp {pod['securityContext']['fsGroup']} /key"
    give += f" && chmod {volumes['key']['secret']['defaultMode']:o} /key"
    chown = ["docker", "run", "--rm", "-v", f"{key}:/key", "--entrypoint", "sh", image]
    subprocess.run([*chown, "-c", give], check=True)
    options = ["-v", f"{RCLONE.resolve()}:/usr/local/bin/rclone:ro"]
    for mount in pod["containers"][0]["volumeMounts"]:
        if "secret" in volumes[mount["name"]]:
            options += ["-v", f"{key}:{mount['mountPath']}/key:ro"]
        else:
            options += ["--tmpfs", f"{mount['mountPath']}:uid={pod['securityContext']['fsGroup']}"]
    return options


def variables_of(pod: dict, database: Database, storage: Storage, bucket: str) -> dict[str, str]:
    """Return the container's environment, with the test's values for those that a user replaces."""
    secrets = {
        "cb-stack-secret": {
            "TB_POSTGRES_USER": "tumblebug",
            "TB_POSTGRES_PASSWORD": "tumblebug",
            "TB_POSTGRES_DATABASE": database.name,
        },
        "tumblebug-assets-storage": {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET},
    }
    container = pod["containers"][0]
    variables = {each["name"]: each["value"] for each in container["env"]}
    for source in container["envFrom"]:
        variables |= secrets[source["secretRef"]["name"]]
    assert "BUCKET" in variables["BACKUP_REMOTE"]
    return variables | {
        "BACKUP_REMOTE": variables["BACKUP_REMOTE"].replace("BUCKET", bucket),
        "TB_POSTGRES_ENDPOINT": f"{database.server.address}:5432",
        "RCLONE_CONFIG_STORAGE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORAGE_ENDPOINT": f"http://127.0.0.1:{storage.port}",
    }
