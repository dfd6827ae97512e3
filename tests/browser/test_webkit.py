"""The session cookie in WebKit, the engine of Safari: on localhost, with the proxy, over https and cross-site."""

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

# in WebKit, two names under .test are never one site, because .test is not in its list of domains
PAGE_HOST, SAME_SITE_HOST, OTHER_SITE_HOST = HOSTS = ("app.example.com", "api.example.com", "api.example.org")
# WebKit has no setting for host names, so nss_wrapper changes the lookup of the system
NSS_WRAPPER = next(Path("/usr/lib").glob("**/libnss_wrapper.so"), None)


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """Run a virtual display and yield its name."""
    require(shutil.which("Xvfb"), "Xvfb is not installed: apt install xvfb")
    reader, writer = os.pipe()
    # without -noreset, Xvfb resets when a browser closes, and the next browser can find no display
    command = ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(command, pass_fds=[writer])
    os.close(writer)
    with os.fdopen(reader) as numbers:
        yield f":{numbers.readline().strip()}"
    process.terminate()
    process.wait(15)


@pytest.fixture(scope="session")
def driver(display: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the WebKit driver and yield its URL."""
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


def sign_in_and_out(webkit: WebKit, home: str, username: str, password: str) -> None:
    """Sign in with the form, reload and sign out."""
    webkit.open(home)
    webkit.fill("#username", username)
    webkit.fill("#password", password)
    webkit.click("#sign-in")
    webkit.wait_for_text("#who", f"Signed in as {username}")
    webkit.reload()
    webkit.wait_for_text("#who", f"Signed in as {username}")
    assert webkit.run("return document.cookie") == ""
    webkit.click("#sign-out")
    webkit.wait_for_text("#who", "Not signed in")
    status = "return fetch(arguments[0], { credentials: 'include' }).then((answer) => answer.status)"
    api = webkit.run("return document.querySelector('#api-origin').textContent")
    assert webkit.run(status, f"{api}/api/auth/me") == 401


def test_on_localhost_the_session_lasts_until_the_sign_out(webkit: WebKit, site: RunningProject) -> None:
    sign_in_and_out(webkit, site.page, "demo", "demo-password")


def test_a_page_on_127_0_0_1_shows_which_name_to_use(webkit: WebKit, two_names: RunningProject) -> None:
    webkit.open(two_names.page.replace("localhost", "127.0.0.1"))
    webkit.wait_for_text("#warning", "The front end is on 127.0.0.1, the API on localhost")
    webkit.click("#sign-in")
    webkit.wait_for_text("#session-outcome", "did not send the session cookie. The front end is on 127.0.0.1")


def test_through_the_proxy_the_session_lasts_until_the_sign_out(webkit: WebKit, one_origin: RunningProject) -> None:
    sign_in_and_out(webkit, one_origin.page, "demo", "demo-password")
    assert "OPTIONS" not in one_origin.output


def test_over_https_on_one_site_the_session_lasts_until_the_sign_out(webkit: WebKit, deploy: Deploy) -> None:
    home, _ = deploy((PAGE_HOST, SAME_SITE_HOST))
    sign_in_and_out(webkit, home, USER, PASSWORD)


def test_webkit_blocks_cross_site_cookies_and_the_page_explains_it(webkit: WebKit, deploy: Deploy) -> None:
    home, api = deploy((PAGE_HOST, OTHER_SITE_HOST), "1")
    webkit.open(home)
    webkit.fill("#username", USER)
    webkit.fill("#password", PASSWORD)
    webkit.click("#sign-in")
    webkit.wait_for_text("#session-outcome", f"{home} and {api} are two sites. Use one domain for both")
