"""The login in WebKit, Safari's engine: on localhost, through the proxy, over https, and where it blocks the cookie."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.baking import require
from tests.browser.conftest import Deploy
from tests.browser.webkit import WebKit
from tests.client import PASSWORD, USER
from tests.running import RunningProject, preferred_port
from tests.serving import serving

# to WebKit, no two names under .test are one site: its list of domains has no such entry
PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST = HOSTS = ("app.example.com", "api.example.com", "api.example.org")
# WebKit has no setting for names, so the system's own lookup is told
NSS_WRAPPER = next(Path("/usr/lib").glob("**/libnss_wrapper.so"), None)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """Run a display that nobody sees, and return its name."""
    require(shutil.which("Xvfb"), "Xvfb is not installed: apt install xvfb")
    reader, writer = os.pipe()
    # without -noreset it begins anew when a browser leaves, and the next one may find no display in that moment
    command = ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as numbers:
        yield f":{numbers.readline().strip()}"
    process.terminate()
    process.wait(15)


@pytest.fixture(scope="session")
def driver(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the driver of WebKit, and return its address."""
    require(shutil.which("WebKitWebDriver"), "WebKit is not installed: apt install webkit2gtk-driver")
    require(NSS_WRAPPER, "nss_wrapper is not installed: apt install libnss-wrapper")
    hosts = tmp_path_factory.mktemp("names") / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {host}\n" for host in ("localhost", *HOSTS)), encoding="utf-8")
    names = {"LD_PRELOAD": str(NSS_WRAPPER), "NSS_WRAPPER_HOSTS": str(hosts)}
    env = {"DISPLAY": display, "GDK_BACKEND": "x11", **names}
    port = preferred_port(0)
    with serving(["WebKitWebDriver", f"--port={port}"], port, env=env):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def webkit(driver: str) -> Iterator[WebKit]:
    """Return a browser without cookies."""
    browser = WebKit(driver)
    yield browser
    browser.quit()


def signs_in_and_out(webkit: WebKit, home: str, username: str, password: str) -> None:
    """Sign in by the form, come back, and sign out."""
    webkit.open(home)
    webkit.fill("#username", username)
    webkit.fill("#password", password)
    webkit.click("#sign-in")
    webkit.shows("#who", f"Signed in as {username}")
    webkit.reload()
    webkit.shows("#who", f"Signed in as {username}")
    assert webkit.run("return document.cookie") == ""
    webkit.click("#sign-out")
    webkit.shows("#who", "Not signed in")
    status = "return fetch(arguments[0], { credentials: 'include' }).then((answer) => answer.status)"
    api = webkit.run("return document.querySelector('#api-origin').textContent")
    assert webkit.run(status, f"{api}/api/auth/me") == 401


def test_on_localhost_the_login_holds_until_the_sign_out(webkit: WebKit, site: RunningProject) -> None:
    signs_in_and_out(webkit, site.page, "demo", "demo-password")


def test_a_page_on_127_0_0_1_is_told_to_be_on_localhost(webkit: WebKit, two_names: RunningProject) -> None:
    webkit.open(two_names.page.replace("localhost", "127.0.0.1"))
    webkit.shows("#warning", "The front end is on 127.0.0.1, the API on localhost")
    webkit.click("#sign-in")
    webkit.shows("#session-outcome", "the browser did not send the session cookie. The front end is on 127.0.0.1")


def test_through_the_proxy_the_login_holds_until_the_sign_out(webkit: WebKit, one_origin: RunningProject) -> None:
    signs_in_and_out(webkit, one_origin.page, "demo", "demo-password")
    assert "OPTIONS" not in one_origin.said


def test_over_https_on_one_site_the_login_holds_until_the_sign_out(webkit: WebKit, deploy: Deploy) -> None:
    home, _ = deploy((PAGE_HOST, SAME_SITE_HOST))
    signs_in_and_out(webkit, home, USER, PASSWORD)


def test_it_blocks_the_cookies_of_another_site_and_the_page_says_why(webkit: WebKit, deploy: Deploy) -> None:
    home, api = deploy((PAGE_HOST, OTHER_SITE_HOST), "1")
    webkit.open(home)
    webkit.fill("#username", USER)
    webkit.fill("#password", PASSWORD)
    webkit.click("#sign-in")
    webkit.shows("#session-outcome", f"{home} and {api} are two sites. Use one domain for both")
