"""Local Network Access with real addresses: Chromium and explain in a local network and from outside."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trustme
from playwright.sync_api import BrowserContext, Playwright

from tests.baking import CHECKOUT, require
from tests.browser.browsers import launch_options
from tests.browser.world import send_request

VISITOR, OUTSIDE = f"visitor{os.getpid()}", f"outside{os.getpid()}"
# an address outside the network of the visitor, one of another machine in it, and the one of the visitor
PUBLIC, NEIGHBOUR, OWN = "203.0.113.2", "192.168.77.2", "192.168.77.1"
HOSTS = f"127.0.0.1 localhost me.example.test\n{NEIGHBOUR} near.example.test printer.local\n{PUBLIC} far.example.test\n"
WIRES = f"""netns add {VISITOR}
netns add {OUTSIDE}
-n {VISITOR} link add wire type veth peer name wire netns {OUTSIDE}
-n {VISITOR} link set lo up
-n {VISITOR} link set wire up
-n {OUTSIDE} link set wire up
-n {VISITOR} addr add {OWN}/24 dev wire
-n {OUTSIDE} addr add {NEIGHBOUR}/24 dev wire
-n {VISITOR} addr add 203.0.113.1/24 dev wire
-n {OUTSIDE} addr add {PUBLIC}/24 dev wire"""
# serves a page at every path and address of a network, on port 8000 and with https on 8443
SERVE = """
import http.server, socket, ssl, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        for line in ("Content-Type: text/html", "Access-Control-Allow-Origin: *", "Content-Length: 0"):
            self.send_header(*line.split(": "))
        self.end_headers()
    def log_message(self, *args): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
one, two = (Server(("::", port), Handler) for port in (8000, 8443))
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
two.socket = context.wrap_socket(two.socket, server_side=True, do_handshake_on_connect=False)
threading.Thread(target=one.serve_forever, daemon=True).start()
print("ready", flush=True)
two.serve_forever()
"""
EXPLAIN = """
import json, sys
from click.testing import CliRunner
from crossorigin.doctor.cli import commands
asks = json.loads(sys.argv[1])
print(json.dumps([json.loads(CliRunner().invoke(commands, words).output) for words in asks]))
"""
NAMES = ["me.example.test", "near.example.test"]
PAGES = [f"http://{host}:8000" for host in ("localhost", "0.0.0.0", OWN, NEIGHBOUR, PUBLIC, *NAMES)]
PAGES += ["http://far.example.test:8000", "https://far.example.test:8443", "https://near.example.test:8443"]
HOSTS_OF_APIS = [
    "localhost",
    "127.0.0.1",
    "[::1]",
    "0.0.0.0",
    OWN,
    NEIGHBOUR,
    PUBLIC,
    *NAMES,
    "far.example.test",
    "printer.local",
]

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("ip"),
    reason="only root can create networks with `ip netns`",
)


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Connect two networks with a server in each. Yield the command prefix for the visitor's network."""
    folder, etc = tmp_path_factory.mktemp("networks"), Path("/etc/netns", VISITOR)
    trustme.CA().issue_cert("far.example.test", "near.example.test").private_key_and_cert_chain_pem.write_to_path(
        folder / "certificate.pem"
    )
    with ExitStack() as stack:
        etc.mkdir(parents=True)
        stack.callback(shutil.rmtree, etc)
        (etc / "hosts").write_text(HOSTS)
        for line in WIRES.splitlines():
            subprocess.run(["ip", *line.split()], check=True, timeout=10)
            if line.startswith("netns"):
                stack.callback(subprocess.run, ["ip", "netns", "del", line.split()[-1]], check=True, timeout=10)
        for network in (VISITOR, OUTSIDE):
            command = ["ip", "netns", "exec", network, sys.executable, "-c", SERVE, str(folder / "certificate.pem")]
            server = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            )
            stack.callback(server.kill)
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
        yield ["ip", "netns", "exec", VISITOR]


@pytest.fixture(scope="module")
def chromium(playwright: Playwright, visitor: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Launch Chromium in the visitor's network with an extension and all permissions."""
    options = launch_options(playwright, "chromium")
    require(options is not None, "chromium is not installed: uv run playwright install chromium")
    folder = tmp_path_factory.mktemp("browser")
    program, extension = folder / "chromium", folder / "extension"
    real = (options or {}).get("executable_path") or playwright.chromium.executable_path
    program.write_text(f'#!/bin/sh\nexec {" ".join(visitor)} "{real}" "$@"\n')
    program.chmod(0o755)
    extension.mkdir()
    (extension / "manifest.json").write_text('{"manifest_version": 3, "name": "lab", "version": "1"}')
    (extension / "page.html").write_text("A page of an extension")
    with playwright.chromium.launch_persistent_context(
        folder / "profile",
        executable_path=program,
        ignore_https_errors=True,
        ignore_default_args=["--disable-extensions"],
        args=[f"--load-extension={extension}", f"--disable-extensions-except={extension}"],
    ) as context:
        context.grant_permissions(["local-network-access"])
        yield context, f"chrome-extension://{get_extension_id(extension)}"


def get_extension_id(folder: Path) -> str:
    """Return the id of a Chromium extension: the hash of its folder in letters from a to p."""
    return "".join(chr(ord("a") + int(digit, 16)) for digit in sha256(str(folder).encode()).hexdigest()[:32])


def test_chromium_and_explain_block_the_same_pages_from_the_local_network(
    chromium: tuple[BrowserContext, str], visitor: list[str]
) -> None:
    context, extension = chromium
    asks = [(page, f"http://{host}:8000/api") for page in [*PAGES, extension] for host in HOSTS_OF_APIS]
    did, tab = {}, context.new_page()
    for page, url in asks:
        if tab.url != f"{page}/page.html":
            tab.goto(f"{page}/page.html")
        did[page, url] = send_request(tab, url, {})["allowed"]
    words = [["explain", "GET", url, "--origin", page, "--json"] for page, url in asks]
    command = [*visitor, sys.executable, "-c", EXPLAIN, json.dumps(words)]
    folder = CHECKOUT / "{{cookiecutter.__project_slug}}"
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=120)
    said = dict(zip(asks, json.loads(done.stdout), strict=True))
    assert {both: found["allowed"] for both, found in said.items()} == did
    blocked = {both for both, found in said.items() if found["steps"][-1]["step"].startswith("The page may reach")}
    assert blocked == {both for both, allowed in did.items() if not allowed and both[0].startswith("http:")}
    assert len(blocked) >= 10
    assert all(allowed for (page, _), allowed in did.items() if page == extension)
