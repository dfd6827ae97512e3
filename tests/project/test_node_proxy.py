"""The axios option `proxy` works in Node with a real forward proxy, for http and for https."""

import contextlib
import http.server
import json
import shutil
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import trustme

from tests.baking import BakedProject, require
from tests.running import preferred_port
from tests.serving import serving

SCRIPT = """
import { createApi } from "./api.js";

const [baseURL, host, port, path] = process.argv.slice(2);
const options = { baseURL, proxy: host ? { host, port: Number(port) } : undefined };
try {
  console.log(JSON.stringify((await createApi(options).get(path ?? "/api/public/hello")).data));
} catch (error: any) {
  console.log(JSON.stringify({ name: error.name, message: error.message, advice: error.advice }));
}
"""
# the compilers from TypeScript to JavaScript. Without Vite, import.meta.env does not exist
COMPILERS = {
    "vite": "vite/bin/vite.js build --ssr src/hello.ts",
    "tsc": "typescript/bin/tsc src/hello.ts --ignoreConfig --module nodenext --target es2024 --types vite/client,node",
}


class Proxy(NamedTuple):
    """A running forward proxy and its log."""

    port: int
    log: Path

    @property
    def arguments(self) -> list[str]:
        """The arguments of the script that use this proxy."""
        return ["127.0.0.1", str(self.port)]


@pytest.fixture(scope="module")
def tinyproxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run tinyproxy on a free port."""
    program = shutil.which("tinyproxy")
    require(program, "tinyproxy is not installed: apt-get install tinyproxy-bin")
    folder = tmp_path_factory.mktemp("tinyproxy")
    proxy = Proxy(preferred_port(0), folder / "log")
    config = folder / "tinyproxy.conf"
    lines = [f"Port {proxy.port}", "Listen 127.0.0.1", f'LogFile "{proxy.log}"', "LogLevel Connect", "Timeout 20"]
    config.write_text("\n".join(lines) + "\n", "utf-8")
    with serving([str(program), "-d", "-c", config], proxy.port):
        yield proxy


@pytest.fixture(scope="module", params=COMPILERS)
def run_script(request: pytest.FixtureRequest, with_node: BakedProject) -> Callable[..., dict[str, object]]:
    """Return a function that runs the script in Node with arguments and returns its output."""
    source = with_node.path / "frontend" / "src" / "hello.ts"
    compiled = f"node_modules/.node-{request.param}"  # linters ignore this folder
    program, *arguments = COMPILERS[request.param].split()
    source.write_text(SCRIPT, "utf-8")
    try:
        with_node.check_output("node", f"node_modules/{program}", *arguments, "--outDir", compiled, folder="frontend")
    finally:
        source.unlink()

    def hello(*arguments: str, **env: str) -> dict[str, object]:
        said = with_node.check_output("node", f"{compiled}/hello.js", *arguments, folder="frontend", env=env)
        answer: dict[str, object] = json.loads(said.splitlines()[-1])
        return answer

    return hello


@pytest.fixture(scope="module")
def api(with_node: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the generated API without a front end. Yield its URL."""
    port = preferred_port(0)
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path_factory.mktemp('database') / 'lab.sqlite'}"}
    command = [with_node.python, "-m", "flask", "--app", with_node.package, "run", "--port", str(port)]
    with serving(command, port, with_node.path, settings):
        yield f"http://localhost:{port}"


class Secret(http.server.BaseHTTPRequestHandler):
    """An API behind https."""

    def do_GET(self) -> None:
        """Respond with JSON."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"message": "Hello by https"}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Do not log."""


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Run an https server. Yield its URL and the file of its certificate authority."""
    authority = trustme.CA()
    certificate = tmp_path_factory.mktemp("certificates") / "authority.pem"
    authority.cert_pem.write_to_path(str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Secret) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://localhost:{server.server_port}", certificate
        server.shutdown()


def test_a_request_to_http_goes_through_the_proxy(
    run_script: Callable[..., object], api: str, tinyproxy: Proxy
) -> None:
    with capture_log(tinyproxy) as lines:
        assert run_script(api, *tinyproxy.arguments) == {"message": "Hello, World!"}
    assert f"GET {api}/api/public/hello" in lines[0]


def test_a_request_to_https_goes_through_a_tunnel(
    run_script: Callable[..., object], https: tuple[str, Path], tinyproxy: Proxy
) -> None:
    address, authority = https
    with capture_log(tinyproxy) as lines:
        trusting = {"NODE_EXTRA_CA_CERTS": str(authority)}
        assert run_script(address, *tinyproxy.arguments, **trusting) == {"message": "Hello by https"}
    assert f"CONNECT {address.removeprefix('https://')}" in lines[0]
    assert "/api/public/hello" not in lines[0]


def test_without_the_option_the_proxy_is_not_used(
    run_script: Callable[..., object], api: str, tinyproxy: Proxy
) -> None:
    with capture_log(tinyproxy) as lines:
        assert run_script(api) == {"message": "Hello, World!"}
    assert lines == [""]


def test_a_failure_has_a_message(run_script: Callable[..., dict[str, object]], api: str, tinyproxy: Proxy) -> None:
    closed_port = str(preferred_port(0))
    refused = run_script(f"http://localhost:{closed_port}")
    assert (refused["name"], "uv run dev.py" in str(refused["advice"])) == ("BlockedError", True)
    assert f"no server responds at http://localhost:{closed_port}" in str(refused["message"])
    refused = run_script(api, "127.0.0.1", closed_port)
    assert f"no server responds at the proxy 127.0.0.1:{closed_port}" in str(refused["message"])
    assert (
        run_script(f"http://localhost:{closed_port}", *tinyproxy.arguments)["name"] == "ApiError"
    )  # a response of tinyproxy
    missing = run_script(api, *tinyproxy.arguments, "/api/nothing")
    assert (missing["name"], "not found" in str(missing["message"])) == ("ApiError", True)


@contextlib.contextmanager
def capture_log(proxy: Proxy) -> Iterator[list[str]]:
    """Collect the log of the proxy during the block."""
    lines: list[str] = []
    before = len(proxy.log.read_text("utf-8"))
    yield lines
    lines.append(proxy.log.read_text("utf-8")[before:])
