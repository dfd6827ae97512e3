"""All servers and pages of the situations: the API, broken applications, servers in front and Chromium."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from playwright.sync_api import Browser, Page

from tests.baking import BakedProject
from tests.browser.errors_of_an_api import flask
from tests.browser.nginx import serving_by_nginx
from tests.browser.requests_of_a_page import FETCH
from tests.browser.scripted_server import reply, serving
from tests.browser.situations import SCRIPTS, Situation
from tests.running import preferred_port

BROKEN_APPS = Path(__file__).with_name("broken_apps.py")
HTML = "Content-Type: text/html"
NOTHING = reply(404, "")


class World(NamedTuple):
    """The URL of each server and the tab of each page."""

    project: BakedProject
    settings: dict[str, str]
    servers: dict[str, str]
    pages: dict[str, Page]
    preflights: set[str]  # the URLs that the browser has preflighted

    def build_url(self, situation: Situation) -> str:
        """Return the URL of a situation."""
        return f"{self.servers[situation.server]}{situation.path}?number={situation.number}"

    def run_situations(self, situations: list[Situation]) -> dict[Situation, dict[str, Any]]:
        """Send the requests of situations. Return each outcome with the names that explain uses."""
        got = {}
        for one in situations:
            headers = [line.split(": ", 1) for line in one.headers]
            credentials = "include" if one.credentials else "same-origin"
            options = {"method": one.method, "headers": headers, "credentials": credentials}
            got[one] = send_request(self.pages[one.page], self.build_url(one), options)
        for name, page in self.pages.items():  # events about preflights arrive in order, but after the response
            last = f"{self.servers['script']}/last-{name}"
            send_request(page, last, {"method": "PUT"})
            deadline = time.monotonic() + 20
            while last not in self.preflights:
                assert time.monotonic() < deadline, "Chromium reports no preflights"
                page.wait_for_timeout(20)
        return {one: {**answer, "preflighted": self.build_url(one) in self.preflights} for one, answer in got.items()}


def send_request(page: Page, url: str, options: dict[str, Any]) -> dict[str, Any]:
    """Send a request from a page. Return the outcome with the names that explain uses."""
    got = page.evaluate(FETCH, [url, options])
    readable = sorted(got.get("headers", {}))
    return {"allowed": "refused" not in got, "status": got.get("status"), "readable_headers": readable}


@contextlib.contextmanager
def create_world(project: BakedProject, folder: Path, browser: Browser) -> Iterator[World]:
    """Start all servers and open all pages.

    Args:
        project: with its Python packages.
        folder: the folder of the database and of server files.
        browser: Chromium.
    """
    with ExitStack() as stack:
        mine, other, script = (stack.enter_context(serving()) for _ in range(3))
        mine.replies["/"] = other.replies["/"] = (NOTHING, reply(200, HTML))
        other.replies["/null"] = (NOTHING, reply(200, f"{HTML} | Content-Security-Policy: sandbox allow-scripts"))
        settings = {
            "APP_ENV": "development",
            "FRONTEND_ORIGINS": mine.url,
            "DATABASE_URL": f"sqlite:///{(folder / 'explain.sqlite').as_posix()}",
        }
        project.check_output(project.python, "-m", "flask", "seed", "--migrate", env=settings)
        api = stack.enter_context(flask(project.python, project.package, project.path, settings, debug=True))
        dead = preferred_port(0)
        servers = {
            **stack.enter_context(serving_by_nginx(folder, api, dead)),
            "app": api,
            "127": api.replace("localhost", "127.0.0.1"),
            "broken": stack.enter_context(flask(project.python, str(BROKEN_APPS), project.path, {}, debug=False)),
            "script": script.url,
            "dead": f"http://localhost:{dead}",
            "tls": api.replace("http:", "https:"),
            "untrusted": stack.enter_context(serving(tls=certificate_for("localhost"))).url,
            "invalid": "http://nowhere.invalid",
        }
        named = api.replace("//", "//me@")
        for path, both in SCRIPTS.items():
            texts = [text.replace("PAGE", mine.url).replace("API", api).replace("NAMED", named) for _, text in both]
            script.replies[path] = (reply(both[0][0], texts[0]), reply(both[1][0], texts[1]))
        addresses = {
            "mine": mine.url,
            "numeric": mine.url.replace("localhost", "127.0.0.1"),
            "other": other.url,
            "null": f"{other.url}/null",
            "api": f"{api}/health/live",
        }
        preflights: set[str] = set()
        pages = {}
        for name, address in addresses.items():
            # the CSP of the API is not under test here
            pages[name] = browser.new_context(bypass_csp=name == "api").new_page()
            pages[name].goto(address)
            record_preflights(pages[name], preflights)
        yield World(project, {**settings, "API_URL": api}, servers, pages, preflights)


def record_preflights(page: Page, preflights: set[str]) -> None:
    """Record the URLs that the browser preflights."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def note(event: dict[str, Any]) -> None:
        if event["initiator"]["type"] == "preflight":
            preflights.add(event["request"]["url"])

    session.on("Network.requestWillBeSent", note)


def certificate_for(host: str) -> ssl.SSLContext:
    """Return a TLS context with an untrusted certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert(host).configure_cert(context)
    return context
