"""`flask cors`: list the policies, check them, explain a request."""

import json
import re
import sys
import textwrap
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo

from ..declare import get_policies
from ..dry_run import dry_run
from ..hints import Hints
from ..policy import FromConfig
from .answered import get_address
from .browser import Request, Step, build_preflight_headers, check_cookie, needs_preflight, normalize_method
from .checks import find_notes, find_problems
from .own_fixes import get_cookie
from .source import find_writers
from .trace import Explanation, build_request, explain
from .transport import AppTransport, HttpTransport, Transport, build_browser_headers, build_headers

MDN = "https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/"
NO_POLICIES = "This application declares no policy with cors(…) of crossorigin."
MODE = "no-cors: as <img>, <script>, <iframe> and sendBeacon ask."
ANSWERED = {"app": "the application", "proxy": "a server in front of the application"}
ANSWERED |= {"other": "a server that is not this API"}
WIDTH = 96


@click.group("cors")
def commands() -> None:
    """Tell which pages may call this API, and why a request is blocked."""


@commands.command("list")
def list_policies() -> None:
    """Show each policy, and what is inconsistent."""
    app = load_app()
    policies = get_policies(app)
    mode = "one origin (a proxy passes requests on)" if policies.hints.one_origin else "cross-origin"
    say(f"Mode: {mode}.\n" if policies.built else "")
    for policy, declaration in zip(policies.built, policies.declarations, strict=True):
        given, automatic = declaration.options["origins"], declaration.options["methods"] is None
        origins = ", ".join(given) if not isinstance(given, FromConfig) else app.config.get(given.name, "")
        rows = {
            "origins": f"{given.name} → {origins}" if isinstance(given, FromConfig) else origins,
            "credentials": "yes" if policy.credentials else "no",
            "methods": (", ".join(policy.methods) or "none") + " (those of the routes)" * automatic,
            "headers": ", ".join(policy.request_headers) or "only safelisted ones",
            "exposed": ", ".join(policy.expose_headers) or "only safelisted ones",
            "max-age": "5 s (the browser's default)" if policy.max_age is None else f"{policy.max_age} s",
        }
        say(f"{policy.prefix}   {policy.place}, blueprint {policy.blueprint}")
        for name, value in rows.items():
            say(f"{name:<12} {value}", "  ", " " * 15)
        say()
    if not policies.in_use:
        say(NO_POLICIES)
        for writer in find_writers(app):
            say(f"{writer.place}: {writer.call + ')' if writer.call else writer.header}", "  ", " " * 4)
        return
    say("Every other path is same-origin only.\n")
    with dry_run():
        say_problems(find_problems(app), find_notes(app))


@commands.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print {ok, problems, notes} and nothing else.")
def check(as_json: bool) -> None:
    """Exit with 1 if the application does not start, or if something is inconsistent; for CI."""
    app, refusal = try_to_load()
    lines, notes = refusal.splitlines(), list[str]()
    problems = [line.removeprefix("  - ") for line in lines[1:] or lines]
    if app:
        with dry_run():
            problems, notes = find_problems(app), find_notes(app)
        if not get_policies(app).in_use:
            notes = [NO_POLICIES]
    if as_json:
        say(json.dumps({"ok": not problems, "problems": problems, "notes": notes}))
    else:
        say_problems(problems, notes)
    raise SystemExit(1 if problems else 0)


@commands.command("explain")
@click.argument("method")
@click.argument("target", metavar="PATH-OR-URL")
@click.option("--origin", required=True, help="The page's origin, for example http://localhost:5173.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'Name: value'", help="Set by its script.")
@click.option("--credentials", is_flag=True, help="With cookies (axios: withCredentials).")
@click.option("--as", "user", metavar="USER", help="In development: sign in on this application, in process.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--curl", is_flag=True, help="Print curl commands that do the same, too.")
@click.option("--mode", type=click.Choice(["cors", "no-cors"]), default="cors", help=MODE)
@click.option("--upload-progress", is_flag=True, help="With a listener for the progress of its upload.")
@click.option("--send", is_flag=True, help="For a URL: really send a method that may change something.")
def explain_request(
    method: str,
    target: str,
    origin: str,
    headers: tuple[str, ...],
    credentials: bool,
    user: str | None,
    as_json: bool,
    curl: bool,
    send: bool,
    **more: Any,
) -> None:
    """Tell why a page's request is blocked, and what to write where.

    A path is asked in process, where no view runs for a method that may change something. A URL is asked
    over the network. The exit code is 0 if the request is allowed, 1 if it is blocked, 2 for wrong usage.
    """
    if as_json and curl:
        raise click.UsageError("--json prints nothing else; leave out --curl.")
    if re.match(r"[A-Za-z]:[/\\]", target):
        raise click.UsageError(f"{target!r} is a file: Git Bash changes paths; write it without the first /.")
    if re.match(r"[A-Za-z0-9.-]+:[0-9]+(/|\Z)", target):
        raise click.UsageError(f"{target!r} has no scheme; write http://{target}")
    is_url = bool(re.match("[A-Za-z]+://", target))
    if user and is_url:
        raise click.UsageError(f"--as signs in on this application alone; write a path, not {target!r}.")
    has_app = click.get_current_context().find_object(ScriptInfo) is not None  # not `python -m crossorigin`
    app, refusal = try_to_load() if has_app or not is_url else (None, "")
    hints = get_policies(app).hints if app else Hints(start_command="")
    address = get_address(app) if app else "http://localhost"
    if hints.one_origin and origin == hints.frontend_url:
        address = origin  # the page calls its own address, and a proxy passes that on
    try:
        url = target if is_url else f"{address}/{target.lstrip('/')}"
        request = build_request(method, url, origin, map(split_header, headers), credentials, **more)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if refusal:
        fix, steps = "correct what it names, then start again", [Step("The API starts", False, refusal)]
        found = Explanation(request, reason="CORSDidNotSucceed", fix=fix, steps=steps)
    else:
        transport: Transport = HttpTransport(send_unsafe=send, start_command=hints.start_command)
        if app and not is_url:
            cookie = sign_in(app, user, request) if user else ""
            transport = AppTransport(app, address, run_views=True, external=transport, cookie=cookie)
        found = explain(request, transport, app)
    if as_json:
        say(json.dumps(found.as_dict()))
    else:
        say_explanation(found)
        say("\n" + "\n".join(build_curl_commands(request)) if curl else "")
    raise SystemExit(0 if found.allowed else 1)


def load_app() -> Flask:
    """Return the application, checked as a server checks it at the first request."""
    info = click.get_current_context().find_object(ScriptInfo)
    if info is None:
        raise click.UsageError("this needs an application; write flask --app NAME cors …, or give a URL.")
    with dry_run():
        app = info.load_app()
        get_policies(app).check()
    return app


def try_to_load() -> tuple[Flask | None, str]:
    """Return the application; None, and why, if it does not start."""
    try:
        return load_app(), ""
    except click.UsageError:
        raise
    except click.ClickException as error:
        return None, error.message


def sign_in(app: Flask, user: str, request: Request) -> str:
    """Return the cookie of a user who is signed in; "" where the browser would not send it."""
    hints = get_policies(app).hints
    if hints.production or hints.sign_in is None:
        raise click.UsageError("--as needs an application in development that gives Hints(sign_in=…).")
    try:
        return hints.sign_in(app, user) if check_cookie(request, get_cookie(app)).ok else ""
    except click.ClickException as error:
        raise click.UsageError(error.message) from error


def split_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"-H {line!r} is not a header; write it as 'X-Lab: 1'.")
    return name, value.strip(" \t")


def say_explanation(found: Explanation) -> None:
    request = found.request
    cookies = ", with credentials" * request.credentials
    say(f"{request.method} {request.url}\nfrom a page of {request.origin}{cookies}\n")
    for step in found.steps:
        say(f"{'yes' if step.ok else 'NO':<5}{step.step}")
        for line in step.detail.splitlines():
            say(line, " " * 7, " " * 9)
    known = f"the response {found.status}" if found.status else "the response of the view"
    verdict = f"ALLOWED: the page gets {known}." if found.allowed else f"BLOCKED: {found.steps[-1].detail}"
    say("\n" + verdict)
    if found.answered_by:
        say(f"Answered by: {ANSWERED[found.answered_by]}.")
    if found.fix:
        say(f"Fix: {found.fix}", "", " " * 5)
    if found.reason:
        say(f"More: {MDN}{found.reason}")


def say_problems(problems: list[str], notes: list[str]) -> None:
    say("Problems found:" if problems else "No problems found.")
    for problem in problems:
        say(f"- {problem}", "  ", " " * 4)
    for note in notes:
        say(f"Note: {note}", "", " " * 6)


def say(text: str = "", first: str = "", others: str = "") -> None:
    """Print a text; with indents, as a paragraph. Control characters of a server are shown, not printed."""
    text = re.sub(r"[^\n -~\xa0-\U0010ffff]", lambda found: repr(found[0])[1:-1], text)
    if others:
        paragraph = textwrap.TextWrapper(WIDTH, first, others, break_on_hyphens=False, break_long_words=False)
        text = paragraph.fill(text)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def build_curl_commands(request: Request) -> list[str]:
    """Return what sends the same from a terminal: the preflight, if there is one, and the request."""
    method = normalize_method(request.method)
    kinds = {"GET": "", "HEAD": " --head"}
    kind = kinds.get(method, f" -X {method if method.isalnum() else _quote(method)}")
    asked = [(" -X OPTIONS", build_preflight_headers(request))] * needs_preflight(request)
    commands = []
    for option, headers in (*asked, (kind, build_headers(request))):
        lines = [f"{name}: {value}" for name, value in (*headers, *build_browser_headers(request))]
        words = [f"curl -i{option}", _quote(request.url), *(f"-H {_quote(line)}" for line in lines)]
        commands.append(" ".join(words))
    return commands


def _quote(text: str) -> str:
    """Return a text as one word of bash and, but for % and !, of the shells of Windows."""
    word = re.sub(r'([\\"$`])', r"\\\1", text)
    return '"' + word.replace("!", '"\\!"') + '"'  # bash repeats an old command at ! even in quotes
