"""A real Kubernetes of one node: etcd, the API server and the kubelet, with pods in Docker.

Without scheduler and controllers: pods name their node.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.kubernetes import CHART_LABELS, kubeconfig
from support.servers import Container, docker, image
from support.waiting import until

RECIPE = Path(__file__).parent / "build-kubernetes.sh"
NODE = "tumblebug-assets-test"
ADMIN = "admin-token"
PAUSE_IMAGE = "tumblebug-assets-tests/pause:1"
CHART_VARIABLES = {
    "POSTGRES_USER": "tumblebug",
    "POSTGRES_PASSWORD": "tumblebug",
    "POSTGRES_DB": "tumblebug",
    "PGDATA": "/var/lib/postgresql/data/pgdata",
}


@dataclass
class RealCluster:
    """A running cluster; ``config`` is an administrator's configuration for kubectl."""

    directory: Path
    port: int
    users: dict[str, str] = field(default_factory=dict)  # name and token
    api_server: list[str | Path] = field(default_factory=list)  # its command
    process: subprocess.Popen | None = None  # the API server

    @property
    def config(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def config_of(self, user: str) -> Path:
        """Write a user's configuration for kubectl, and return its path."""
        path = self.directory / f"kubeconfig-{user}"
        path.write_text(json.dumps(configuration(self.url, self.users[user])))
        return path

    def kubectl(self, *arguments: str, **more: object) -> str:
        """Run kubectl as administrator and return what it prints.

        ``more`` are options of subprocess.run. Raises CalledProcessError if it fails.
        """
        command = [self.directory / "bin" / "kubectl", "--kubeconfig", self.config, *arguments]
        environment = {**os.environ, "KUBECACHEDIR": str(self.directory / "cache")}
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment, **more
        )
        return done.stdout

    def allow(self, user: str, name: str, resource: str, verbs: list[str]) -> None:
        """Let a user do this with pods of the default namespace."""
        self.kubectl("create", "role", name, f"--resource={resource}", f"--verb={','.join(verbs)}")
        self.kubectl("create", "rolebinding", name, f"--role={name}", f"--user={user}")

    def apply(self, *resources: dict) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": list(resources)}
        self.kubectl("apply", "-f", "-", input=json.dumps(listed))


def configuration(url: str, token: str) -> dict:
    found = kubeconfig(url)
    found["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    found["users"][0]["user"]["token"] = token
    return found


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def start(directory: Path, *command: str | Path) -> subprocess.Popen:
    """Start a program with its log in the directory."""
    name = Path(command[0]).name
    with (directory / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            list(map(str, command)), stdout=log, stderr=log, cwd=directory, start_new_session=True
        )


def end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def started(directory: Path, *command: str | Path) -> Iterator[None]:
    """Run a program, and end it at the end."""
    process = start(directory, *command)
    try:
        yield
    finally:
        end(process)


def start_api_server(cluster: RealCluster) -> None:
    cluster.process = start(cluster.directory, *cluster.api_server)
    until(lambda: is_ready(cluster), 60)


def restart_api_server(cluster: RealCluster) -> None:
    """Kill the API server, which breaks all its connections, and start it again."""
    cluster.process.kill()
    cluster.process.wait()
    start_api_server(cluster)


@contextmanager
def real_cluster(directory: Path) -> Iterator[RealCluster]:
    """Yield a cluster whose node is ready; at the end, nothing of it is left in Docker."""
    built = Path(
        subprocess.run([RECIPE], check=True, stdout=subprocess.PIPE, text=True).stdout[:-1]
    )
    build_pause_image()
    etcd_port, peer_port, api_port, kubelet_port, health_port = free_ports(5)
    cluster = RealCluster(directory, api_port, {"backup": secrets.token_hex(8)})
    (directory / "bin").mkdir()
    kubectl = shutil.which("kubectl", path=Path(sys.executable).parent)  # of the wheel
    (directory / "bin" / "kubectl").symlink_to(kubectl)
    cluster.config.write_text(json.dumps(configuration(cluster.url, ADMIN)))
    etcd = f"http://127.0.0.1:{etcd_port}"
    peer = f"http://127.0.0.1:{peer_port}"
    with ExitStack() as stack:
        stack.callback(unmount, directory)
        stack.callback(remove_pods)
        stack.enter_context(
            started(
                directory,
                "etcd",
                f"--data-dir={directory / 'etcd'}",
                f"--listen-client-urls={etcd}",
                f"--advertise-client-urls={etcd}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
            )
        )
        cluster.api_server = api_server(cluster, built, etcd)
        stack.callback(lambda: cluster.process and end(cluster.process))
        start_api_server(cluster)
        stack.enter_context(started(directory, *kubelet(cluster, built, kubelet_port, health_port)))
        until(lambda: "True" in node_conditions(cluster), 60)
        yield cluster
        cluster.kubectl("delete", "pods", "--all", "--all-namespaces", "--wait=false")


def api_server(cluster: RealCluster, built: Path, etcd: str) -> list[str | Path]:
    """Return its command. It makes the certificate of its address itself."""
    directory = cluster.directory
    tokens = [f"{ADMIN},admin,admin,system:masters\n"]
    tokens += [f"{token},{user},{user}\n" for user, token in cluster.users.items()]
    (directory / "tokens").write_text("".join(tokens))
    key = directory / "service-account.key"
    subprocess.run(
        ["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL
    )
    return [
        built / "kube-apiserver",
        f"--etcd-servers={etcd}",
        f"--secure-port={cluster.port}",
        "--bind-address=127.0.0.1",
        f"--cert-dir={directory / 'api-certificates'}",
        f"--token-auth-file={directory / 'tokens'}",
        "--authorization-mode=RBAC",
        "--disable-admission-plugins=ServiceAccount",
        "--service-cluster-ip-range=10.96.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={key}",
        f"--service-account-key-file={key}",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def kubelet(cluster: RealCluster, built: Path, port: int, health_port: int) -> list[str | Path]:
    """Return its command. It removes no images and evicts nothing: the engine has other users."""
    directory = cluster.directory
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": "0.0.0.0",
        "port": port,
        "healthzPort": health_port,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": docker("info", "--format", "{{.CgroupDriver}}"),
        "cgroupsPerQOS": False,
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"nodefs.available": "0%", "imagefs.available": "0%"},
        "syncFrequency": "1s",
        "fileCheckFrequency": "20s",
    }
    (directory / "kubelet.json").write_text(json.dumps(settings))
    return [
        built / "kubelet",
        f"--config={directory / 'kubelet.json'}",
        f"--kubeconfig={cluster.config}",
        f"--root-dir={directory / 'kubelet'}",
        f"--cert-dir={directory / 'kubelet-certificates'}",
        f"--hostname-override={NODE}",
        f"--pod-infra-container-image={PAUSE_IMAGE}",
        "--image-pull-progress-deadline=5s",
    ]


def build_pause_image() -> None:
    """Build the image of the container that holds a pod's network."""
    recipe = f'FROM {image()}\nENTRYPOINT ["sleep", "86400"]\n'
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", PAUSE_IMAGE, "-"],
        input=recipe.encode(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def is_ready(cluster: RealCluster) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        suppress(OSError),
        urllib.request.urlopen(f"{cluster.url}/readyz", context=context) as answer,
    ):
        return answer.status == 200
    return False


def node_conditions(cluster: RealCluster) -> str:
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    with suppress(subprocess.CalledProcessError):
        return cluster.kubectl("get", "node", NODE, "--output", f"jsonpath={path}")
    return ""


def unmount(directory: Path) -> None:
    """Unmount what the kubelet has mounted in its directory, and that directory itself."""
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for path in sorted(mounts, reverse=True):
        if Path(path).is_relative_to(directory):
            subprocess.run(["umount", path], check=True)


def remove_pods() -> None:
    """Remove the containers that this kubelet has started."""
    found = docker(
        "ps", "--all", "--quiet", "--filter", "label=io.kubernetes.pod.namespace=default"
    )
    if found:
        docker("rm", "--force", "--volumes", *found.split())


def started_pod(cluster: RealCluster, name: str = "postgres-0") -> Container:
    """Start a pod as CB-Tumblebug's chart does, and return its container when it answers."""
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", "labels": CHART_LABELS},
            "spec": {
                "nodeName": NODE,
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
                "containers": [
                    {
                        "name": "postgres",
                        "image": image(),
                        "imagePullPolicy": "Never",
                        "env": [
                            {"name": key, "value": value} for key, value in CHART_VARIABLES.items()
                        ],
                        "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
                    }
                ],
                "volumes": [{"name": "data", "emptyDir": {}}],
            },
        }
    )
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=60s")
    path = "{.status.podIP} {.status.containerStatuses[0].containerID}"
    address, container = cluster.kubectl("get", "pod", name, "--output", f"jsonpath={path}").split()
    server = Container(container.removeprefix("docker://"), address)
    server.wait()
    return server
