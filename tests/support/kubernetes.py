"""A stand-in for a Kubernetes API server, whose pods are containers.

It speaks what kubectl uses: discovery, pods with selectors, and exec over WebSocket in the protocol
`v5.channel.k8s.io`. A program in a pod runs by docker exec. As a kubelet does, it lets a program
whose connection is lost run on, with its standard input closed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from aiohttp import WSMsgType, web

from support.servers import Container, Server

CHART_LABELS = {"app": "cb-tumblebug-postgres"}
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255  # channels; CLOSE ends another one
POD = {"name": "pods", "singularName": "pod", "namespaced": True, "kind": "Pod", "verbs": ["get"]}
EXEC = {**POD, "name": "pods/exec", "kind": "PodExecOptions", "verbs": ["create", "get"]}


@dataclass
class Pod:
    """A pod of the cluster; ``runs_in`` is the container in which its programs run."""

    name: str
    runs_in: Container | None = None
    namespace: str = "default"
    labels: dict[str, str] = field(default_factory=lambda: dict(CHART_LABELS))
    containers: tuple[str, ...] = ("postgres",)
    phase: str = "Running"
    ready: bool = True
    path: str = ""  # PATH of its programs, if not the container's

    def resource(self) -> dict:
        statuses = [{"name": name, "ready": self.ready} for name in self.containers]
        return {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": self.labels},
            "spec": {"containers": [{"name": name} for name in self.containers]},
            "status": {"phase": self.phase, "containerStatuses": statuses},
        }


@dataclass
class Cut:
    """When a connection is cut: after so many bytes of a channel, counted over all programs."""

    channel: int
    after: int
    cleanly: bool = False  # as if the server had said all: kubectl then sees no error


@dataclass
class Cluster:
    """What the stand-in serves, and what it has seen."""

    config: Path
    pods: list[Pod] = field(default_factory=list)
    forbidden: tuple[str, ...] = ()  # of "get", "list", "list all" and "exec"
    hangs: bool = False
    cut: Cut | None = None
    passed: dict[int, int] = field(default_factory=lambda: {STDIN: 0, STDOUT: 0})
    commands: list[list[str]] = field(default_factory=list)

    def application(self) -> web.Application:
        pods = "/api/v1/namespaces/{namespace}/pods"
        application = web.Application(middlewares=[self.hang])
        application.add_routes(
            [
                web.get("/api", self.versions),
                web.get("/apis", self.groups),
                web.get("/api/v1", self.resources),
                web.get("/api/v1/pods", self.list_pods),
                web.get(pods, self.list_pods),
                web.get(pods + "/{name}", self.get_pod),
                web.get(pods + "/{name}/exec", self.exec_in_pod),
                web.post(pods + "/{name}/exec", self.exec_in_pod),
            ]
        )
        return application

    @web.middleware
    async def hang(self, request: web.Request, handler) -> web.StreamResponse:
        if self.hangs:
            await asyncio.sleep(3600)
        return await handler(request)

    async def versions(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "APIVersions", "versions": ["v1"]})

    async def groups(self, _: web.Request) -> web.Response:
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})

    async def resources(self, _: web.Request) -> web.Response:
        listed = {"kind": "APIResourceList", "groupVersion": "v1", "resources": [POD, EXEC]}
        return web.json_response(listed)

    async def list_pods(self, request: web.Request) -> web.Response:
        namespace = request.match_info.get("namespace")
        if ("list" if namespace else "list all") in self.forbidden:
            return self.refusal("list", "pods", namespace)
        wanted = request.query.get("labelSelector", "")
        labels = dict(term.split("=", 1) for term in wanted.split(",") if term)
        name = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
        found = [
            pod.resource()
            for pod in self.pods
            if namespace in (None, pod.namespace)
            and name in ("", pod.name)
            and labels.items() <= pod.labels.items()
        ]
        return web.json_response({"kind": "PodList", "apiVersion": "v1", "items": found})

    async def get_pod(self, request: web.Request) -> web.Response:
        if "get" in self.forbidden:
            return self.refusal("get", "pods", request.match_info["namespace"])
        pod = self.pod(request)
        if pod:
            return web.json_response(pod.resource())
        message = f'pods "{request.match_info["name"]}" not found'
        return self.failure(404, "NotFound", message)

    def pod(self, request: web.Request) -> Pod | None:
        wanted = request.match_info["namespace"], request.match_info["name"]
        return next((pod for pod in self.pods if (pod.namespace, pod.name) == wanted), None)

    def refusal(self, verb: str, resource: str, namespace: str | None) -> web.Response:
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        message = f'pods is forbidden: User "tester" cannot {verb} resource "{resource}" {where}'
        return self.failure(403, "Forbidden", message)

    def failure(self, code: int, reason: str, message: str) -> web.Response:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        return web.json_response({**status, "reason": reason, "message": message}, status=code)

    # --- exec ---

    async def exec_in_pod(self, request: web.Request) -> web.StreamResponse:
        if "exec" in self.forbidden:
            return self.refusal("create", "pods/exec", request.match_info["namespace"])
        socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",), max_msg_size=0)
        if not socket.can_prepare(request):
            return self.failure(400, "BadRequest", "only WebSocket is served")
        await socket.prepare(request)
        command = request.query.getall("command")
        self.commands.append(command)
        await Execution(self, request, socket).run(self.pod(request), command)
        return socket

    def forget(self) -> None:
        self.passed.update({STDIN: 0, STDOUT: 0})
        self.commands.clear()

    def is_over(self, channel: int, size: int) -> int | None:
        """Return how many of these bytes still pass before the cut; None without a cut here."""
        before = self.passed[channel]
        self.passed[channel] += size
        if self.cut and self.cut.channel == channel and before + size > self.cut.after >= before:
            return self.cut.after - before
        return None


@dataclass
class Execution:
    """A program that runs in a pod for a client."""

    cluster: Cluster
    request: web.Request
    socket: web.WebSocketResponse
    is_cut: bool = False

    async def run(self, pod: Pod, command: list[str]) -> None:
        path = ["-e", f"PATH={pod.path}"] if pod.path else []
        program = await asyncio.create_subprocess_exec(
            *("docker", "exec", "-i", *path, pod.runs_in.name, *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        reading = asyncio.create_task(self.pass_input(program.stdin))
        await asyncio.gather(
            self.pass_output(program.stdout, STDOUT), self.pass_output(program.stderr, STDERR)
        )
        status = await program.wait()
        await self.send(STATUS, json.dumps(status_of(status)).encode())
        # A read that waits would end close() before the client has answered. What the client still
        # sends would then reset the connection, and output on its way would be lost.
        reading.cancel()
        await asyncio.wait([reading])
        await self.socket.close()

    async def pass_input(self, stdin: asyncio.StreamWriter) -> None:
        try:
            async for message in self.socket:
                if message.type != WSMsgType.BINARY:
                    continue
                channel, data = message.data[0], message.data[1:]
                if channel == CLOSE:
                    stdin.close()
                elif channel == STDIN and data:
                    passes = self.cluster.is_over(STDIN, len(data))
                    stdin.write(data[:passes])
                    await stdin.drain()
                    if passes is not None:
                        await self.cut()
        except ConnectionError:
            pass  # the program has ended, or the client has
        stdin.close()

    async def pass_output(self, output: asyncio.StreamReader, channel: int) -> None:
        while data := await output.read(65536):
            passes = self.cluster.is_over(STDOUT, len(data)) if channel == STDOUT else None
            await self.send(channel, data[:passes])
            if passes is not None:
                await self.cut()

    async def send(self, channel: int, data: bytes) -> None:
        if not self.is_cut and not self.socket.closed:
            try:
                await self.socket.send_bytes(bytes([channel]) + data)
            except ConnectionError:
                self.is_cut = True

    async def cut(self) -> None:
        self.is_cut = True
        if self.cluster.cut.cleanly:
            await self.socket.close()
        else:
            self.request.transport.abort()


def status_of(code: int) -> dict:
    """Return the message by which a kubelet tells how a program ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return {
        "metadata": {},
        "status": "Failure",
        "reason": "NonZeroExitCode",
        "message": f"command terminated with non-zero exit code: exit status {code}",
        "details": {"causes": causes},
    }


@dataclass
class PodServer(Server):
    """A server in a pod of a cluster, which the scripts reach through the kubectl backend."""

    container: Container
    cluster: Cluster

    def reset(self) -> None:
        """Give the cluster this one pod, and forget what was seen."""
        self.cluster.pods = [Pod("postgres-0", self.container)]
        self.cluster.forbidden = ()
        self.cluster.cut = None
        self.cluster.forget()

    def environment(self) -> dict[str, str]:
        directory = self.cluster.config.parent
        return {
            "PATH": f"{directory / 'bin'}:{os.environ['PATH']}",
            "TB_K8S_CONTEXT": "test",
            "TB_POSTGRES_CONTAINER": "tumblebug-assets-test-none",
            "KUBECONFIG": str(self.cluster.config),
            "KUBECACHEDIR": str(directory / "cache"),
        }

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return self.container.connect(database)

    def client(self, *command: str, **more: object) -> subprocess.CompletedProcess:
        return self.container.client(*command, **more)

    def temporary_files(self) -> list[str]:
        return self.container.temporary_files()

    def programs(self) -> list[str]:
        """Return the command lines of the pod's processes, apart from the server's own."""
        return self.container.programs()

    def crashes(self) -> list[str]:
        """Return what the server has logged of processes that crashed."""
        return self.container.crashes()


@contextmanager
def started_cluster(directory: Path) -> Iterator[Cluster]:
    """Yield a cluster without pods, and with a context `test` in a configuration for kubectl."""
    cluster = Cluster(directory / "kubeconfig")
    (directory / "bin").mkdir()
    kubectl = shutil.which("kubectl", path=Path(sys.executable).parent)  # of the wheel
    (directory / "bin" / "kubectl").symlink_to(kubectl)
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(cluster.application(), shutdown_timeout=1)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    port = site._server.sockets[0].getsockname()[1]
    cluster.config.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{port}")))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield cluster
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def kubeconfig(server: str) -> dict:
    """Return a configuration for kubectl; JSON is YAML too."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "tester", "user": {"token": "secret"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "tester"}}],
        "current-context": "test",
    }
