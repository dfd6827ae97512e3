"""`flask cors explain` and Chromium have the same outcome in each situation.

Only Chromium is used, because its DevTools protocol reports the preflights to every server.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.baking import BakedProject, require
from tests.browser.browsers import launch_options
from tests.browser.scripted_server import reply, serving
from tests.browser.situations import SITUATIONS, Situation
from tests.browser.world import HTML, NOTHING, World, certificate_for, create_world, send_request

# the project's Python runs all commands in one process
EXPLAIN = """
import functools, json, sys
from click.testing import CliRunner
from flask.cli import ScriptInfo, cli
from {package} import create_app

create, results = functools.cache(create_app), []
for arguments in json.loads(sys.argv[1]):
    result = CliRunner().invoke(cli, ["cors", "explain", *arguments], obj=ScriptInfo(create_app=create))
    results.append([result.exit_code, result.stdout])
print(json.dumps(results))
"""
OF_THE_APP = [situation for situation in SITUATIONS if situation.server == "app"]
# headers that the server adds to every response
ADDED_BY_THE_SERVER = {"connection", "date", "server"}
REASONS = """DidNotSucceed MissingAllowOrigin AllowOriginNotMatchingOrigin MultipleAllowOriginNotAllowed
NotSupportingCredentials MissingAllowCredentials PreflightDidNotSucceed ExternalRedirectNotAllowed InvalidAllowMethod
InvalidAllowHeader MethodNotFound MissingAllowHeaderFromPreflight RequestNotHttp"""
# the kind of page, the URL of the API, and the last step of the explanation
NOT_FIXABLE_BY_HEADERS = [
    ("https page", "http://api.example.test", "The https page may call this address"),
    ("https page", "http://localhost", "The page reads the response"),
    ("public https page", "http://localhost", "The page reads the response"),
]

Observed = dict[Situation, dict[str, Any]]
Explained = dict[tuple[Situation, bool], tuple[int, dict[str, Any]]]


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Callable[..., Browser]]:
    """Return a function that launches Chromium with arguments."""
    options = launch_options(playwright, "chromium")
    require(options is not None, "chromium is not installed: uv run playwright install chromium")
    with ExitStack() as stack:
        yield lambda *args: stack.enter_context(playwright.chromium.launch(**(options or {}), args=args))


@pytest.fixture(scope="module")
def world(
    get_installed: Callable[[str], BakedProject],
    chromium: Callable[..., Browser],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Start all servers and pages of the situations."""
    with create_world(get_installed("default"), tmp_path_factory.mktemp("world"), chromium()) as everything:
        yield everything


@pytest.fixture(scope="module")
def observed(world: World) -> Observed:
    """Return the outcome in Chromium for each situation."""
    return world.run_situations(SITUATIONS)


@pytest.fixture(scope="module")
def explained(world: World) -> Explained:
    """Return exit code and JSON of explain, by situation and by whether it used the network."""
    keys = [(one, True) for one in SITUATIONS] + [(one, False) for one in OF_THE_APP]
    return dict(zip(keys, explain(world, [build_arguments(world, one, live) for one, live in keys]), strict=True))


def explain(world: World, commands: list[list[str]]) -> list[tuple[int, dict[str, Any]]]:
    """Run all commands in one process. Return exit code and JSON of each."""
    code = EXPLAIN.format(package=world.project.package)
    text = world.project.check_output(world.project.python, "-c", code, json.dumps(commands), env=world.settings)
    return [(code, json.loads(output)) for code, output in json.loads(text.splitlines()[-1])]


def build_arguments(world: World, situation: Situation, live: bool) -> list[str]:
    """Return the arguments of `flask cors explain`. It requests a URL over the network, a path in process."""
    url = world.build_url(situation)
    target = [url, "--send"] if live else [url.removeprefix(world.servers["app"])]
    origin = world.pages[situation.page].evaluate("origin")
    headers = [part for line in situation.headers for part in ("-H", line)]
    credentials = ["--credentials"] * situation.credentials
    return [situation.method, *target, "--origin", origin, *headers, *credentials, "--json"]


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_over_the_network_explain_has_the_outcome_of_chromium(
    situation: Situation, observed: Observed, explained: Explained
) -> None:
    did, (code, said) = observed[situation], explained[situation, True]
    assert {name: said[name] for name in did} == did, said
    assert code == (0 if did["allowed"] else 1)


@pytest.mark.parametrize("situation", OF_THE_APP, ids=str)
def test_in_process_explain_has_the_outcome_of_chromium(
    situation: Situation, observed: Observed, explained: Explained
) -> None:
    did, (_, said) = observed[situation], explained[situation, False]
    assert (said["allowed"], said["preflighted"]) == (did["allowed"], did["preflighted"]), said
    if said["status"] is None:  # no view has run, so the headers of views are unknown
        assert set(said["readable_headers"]) <= set(did["readable_headers"]), said
    else:
        readable = [name for name in did["readable_headers"] if name not in ADDED_BY_THE_SERVER]
        assert (said["status"], said["readable_headers"]) == (did["status"], readable), said


def test_the_situations_cover_every_reason(explained: Explained) -> None:
    assert len(SITUATIONS) >= 60
    assert {said["reason"] for _, said in explained.values()} == {None, *(f"CORS{name}" for name in REASONS.split())}


@pytest.mark.parametrize("live", [True, False], ids=["a URL", "a path"])
@pytest.mark.parametrize("situation", [one for one in OF_THE_APP if one.page == "numeric"], ids=str)
def test_the_command_line_has_the_same_output(
    situation: Situation, live: bool, world: World, explained: Explained
) -> None:
    command = [world.project.python, "-m", "flask", "cors", "explain", *build_arguments(world, situation, live)]
    done = world.project.run(*command, env=world.settings)
    said = json.loads(done.stdout.splitlines()[-1])
    # the steps contain the date and the number of the request
    assert (done.returncode, said | {"steps": []}) == (
        explained[situation, live][0],
        explained[situation, live][1] | {"steps": []},
    )


@pytest.mark.parametrize(("kind", "address", "last"), NOT_FIXABLE_BY_HEADERS)
def test_without_a_fix_by_headers_explain_has_the_outcome_of_chromium(
    chromium: Callable[..., Browser], world: World, kind: str, address: str, last: str
) -> None:
    tls = certificate_for("app.example.test") if "https" in kind else None
    with serving("app.example.test", tls) as server:
        server.replies["/"] = (NOTHING, reply(200, HTML))
        public = f"--ip-address-space-overrides=127.0.0.1:{server.server_address[1]}=public"
        names = "--host-resolver-rules=MAP *.test 127.0.0.1"
        context = chromium(names, *[public] * ("public" in kind)).new_context(ignore_https_errors=True)
        context.grant_permissions(["local-network-access"])  # as a user can
        page = context.new_page()
        page.goto(server.url)
        url = f"{address}:{world.servers['app'].rpartition(':')[2]}/api/public/hello"
        did = send_request(page, url, {})
    [(code, said)] = explain(world, [["GET", url, "--origin", server.url, "--json"]])
    assert {name: said[name] for name in did} == did
    assert (said["steps"][-1]["step"], code) == (last, 0 if did["allowed"] else 1)
