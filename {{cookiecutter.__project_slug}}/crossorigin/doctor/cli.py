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
NO_POLICIES = "This application does not declare a policy with cors(…) of crossorigin."
MODE = "no-cors: like <img>, <script>, <iframe> and sendBeacon."
ANSWERED = {"app": "the application", "proxy": "a server in front of the application"}
ANSWERED |= {"other": "a server that is not this API"}
WIDTH = 96


@click.group("cors")
def commands() -> None:
    """Show which pages may call this API, and explain why a request is blocked."""


@commands.command("list")
def list_policies() -> None:
    """Show each policy and each inconsistency."""
    app = load_app()
    policies = get_policies(app)
    mode = "one origin (a proxy passes requests on)" if policies.hints.one_origin else "cross-origin"
    echo(f"Mode: {mode}.\n" if policies.built else "")
    for policy, declaration in zip(policies.built, policies.declarations, strict=True):
        given, automatic = declaration.options["origins"], declaration.options["methods"] is None
        origins = ", ".join(given) if not isinstance(given, FromConfig) else app.config.get(given.name, "")
        rows = {
            "origins": f"{given.name} → {origins}" if isinstance(given, FromConfig) else origins,
            "credentials": "yes" if policy.credentials else "no",
            "methods": (", ".join(policy.methods) or "none") + " (from the routes)" * automatic,
            "headers": ", ".join(policy.request_headers) or "only safelisted ones",
            "exposed": ", ".join(policy.expose_headers) or "only safelisted ones",
            "max-age": "5 s (the browser's default)" if policy.max_age is None else f"{policy.max_age} s",
        }
        echo(f"{policy.prefix}   {policy.place}, blueprint {policy.blueprint}")
        for name, value in rows.items():
            echo(f"{name:<12} {value}", "  ", " " * 15)
        echo()
    if not policies.in_use:
        echo(NO_POLICIES)
        for writer in find_writers(app):
            echo(f"{writer.place}: {writer.call + ')' if writer.call else writer.header}", "  ", " " * 4)
        return
    echo("Every other path is same-origin only.\n")
    with dry_run():
        print_problems(find_problems(app), find_notes(app))


@commands.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print {ok, problems, notes} and nothing else.")
def check(as_json: bool) -> None:
    """Exit with 1 if the application does not start or is inconsistent, for example in CI."""
    app, refusal = try_to_load()
    lines, notes = refusal.splitlines(), list[str]()
    problems = [line.removeprefix("  - ") for line in lines[1:] or lines]
    if app:
        with dry_run():
            problems, notes = find_problems(app), find_notes(app)
        if not get_policies(app).in_use:
            notes = [NO_POLICIES]
    if as_json:
        echo(json.dumps({"ok": not problems, "problems": problems, "notes": notes}))
    else:
        print_problems(problems, notes)
    raise SystemExit(1 if problems else 0)


@commands.command("explain")
@click.argument("method")
@click.argument("target", metavar="PATH-OR-URL")
@click.option("--origin", required=True, help="The page's origin, for example http://localhost:5173.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'Name: value'", help="Set by the script.")
@click.option("--credentials", is_flag=True, help="Send cookies (axios: withCredentials).")
@click.option("--as", "user", metavar="USER", help="Sign in as this user, for a path, in development.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--curl", is_flag=True, help="Also print curl commands that do the same.")
@click.option("--mode", type=click.Choice(["cors", "no-cors"]), default="cors", help=MODE)
@click.option("--upload-progress", is_flag=True, help="With a listener for upload progress.")
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
    """Explain why a page's request is blocked, and what to write to fix it.

    A path is requested in process, and views run for GET and HEAD only. A URL is requested over the network.
    The exit code is 0 if the request is allowed, 1 if it is blocked, 2 for wrong usage.
    """
    if as_json and curl:
        raise click.UsageError("--json prints nothing else; remove --curl.")
    if re.match(r"[A-Za-z]:[/\\]", target):
        raise click.UsageError(f"Git Bash changed the path to {target!r}; write it without the first /.")
    if re.match(r"[A-Za-z0-9.-]+:[0-9]+(/|\Z)", target):
        raise click.UsageError(f"{target!r} has no scheme; write http://{target}")
    is_url = bool(re.match("[A-Za-z]+://", target))
    if user and is_url:
        raise click.UsageError(f"--as signs in to this application only; write a path, not {target!r}.")
    has_app = click.get_current_context().find_object(ScriptInfo) is not None  # not `python -m crossorigin`
    app, refusal = try_to_load() if has_app or not is_url else (None, "")
    hints = get_policies(app).hints if app else Hints(start_command="")
    address = get_address(app) if app else "http://localhost"
    if hints.one_origin and origin == hints.frontend_url:
        address = origin  # the page calls its own address, and a proxy passes the request on
    try:
        url = target if is_url else f"{address}/{target.lstrip('/')}"
        request = build_request(method, url, origin, map(split_header, headers), credentials, **more)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if refusal:
        fix, steps = "fix what the message says, then start again", [Step("The API starts", False, refusal)]
        result = Explanation(request, reason="CORSDidNotSucceed", fix=fix, steps=steps)
    else:
        transport: Transport = HttpTransport(send_unsafe=send, start_command=hints.start_command)
        if app and not is_url:
            cookie = sign_in(app, user, request) if user else ""
            transport = AppTransport(app, address, run_views=True, external=transport, cookie=cookie)
        result = explain(request, transport, app)
    if as_json:
        echo(json.dumps(result.as_dict()))
    else:
        print_explanation(result)
        echo("\n" + "\n".join(build_curl_commands(request)) if curl else "")
    raise SystemExit(0 if result.allowed else 1)


def load_app() -> Flask:
    """Return the application, after the checks of its first request."""
    info = click.get_current_context().find_object(ScriptInfo)
    if info is None:
        raise click.UsageError("no application was found; write flask --app NAME cors …, or a URL.")
    with dry_run():
        app = info.load_app()
        get_policies(app).check()
    return app


def try_to_load() -> tuple[Flask | None, str]:
    """Return the application, or None and the reason if it does not start."""
    try:
        return load_app(), ""
    except click.UsageError:
        raise
    except click.ClickException as error:
        return None, error.message


def sign_in(app: Flask, user: str, request: Request) -> str:
    """Return the cookie of a signed-in user, or "" if the browser would not send it."""
    hints = get_policies(app).hints
    if hints.production or hints.sign_in is None:
        raise click.UsageError("--as needs an application in development with Hints(sign_in=…).")
    try:
        return hints.sign_in(app, user) if check_cookie(request, get_cookie(app)).ok else ""
    except click.ClickException as error:
        raise click.UsageError(error.message) from error


def split_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"-H {line!r} is not a header; write it as 'X-Lab: 1'.")
    return name, value.strip(" \t")


def print_explanation(result: Explanation) -> None:
    request = result.request
    cookies = ", with credentials" * request.credentials
    echo(f"{request.method} {request.url}\nfrom a page of {request.origin}{cookies}\n")
    for step in result.steps:
        echo(f"{'yes' if step.ok else 'NO':<5}{step.step}")
        for line in step.detail.splitlines():
            echo(line, " " * 7, " " * 9)
    known = f"the response {result.status}" if result.status else "the response of the view"
    verdict = f"ALLOWED: the page gets {known}." if result.allowed else f"BLOCKED: {result.steps[-1].detail}"
    echo("\n" + verdict)
    if result.answered_by:
        echo(f"Answered by: {ANSWERED[result.answered_by]}.")
    if result.fix:
        echo(f"Fix: {result.fix}", "", " " * 5)
    if result.reason:
        echo(f"More: {MDN}{result.reason}")


def print_problems(problems: list[str], notes: list[str]) -> None:
    echo("Problems found:" if problems else "No problems found.")
    for problem in problems:
        echo(f"- {problem}", "  ", " " * 4)
    for note in notes:
        echo(f"Note: {note}", "", " " * 6)


def echo(text: str = "", first: str = "", others: str = "") -> None:
    """Print a text, as a paragraph if it has indents. Control characters of a server are escaped."""
    text = re.sub(r"[^\n -~\xa0-\U0010ffff]", lambda match: repr(match[0])[1:-1], text)
    if others:
        paragraph = textwrap.TextWrapper(WIDTH, first, others, break_on_hyphens=False, break_long_words=False)
        text = paragraph.fill(text)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def build_curl_commands(request: Request) -> list[str]:
    """Return curl commands that send the preflight, if there is one, and the request."""
    method = normalize_method(request.method)
    kinds = {"GET": "", "HEAD": " --head"}
    kind = kinds.get(method, f" -X {method if method.isalnum() else _quote(method)}")
    preflights = [(" -X OPTIONS", build_preflight_headers(request))] * needs_preflight(request)
    commands = []
    for option, headers in (*preflights, (kind, build_headers(request))):
        lines = [f"{name}: {value}" for name, value in (*headers, *build_browser_headers(request))]
        words = [f"curl -i{option}", _quote(request.url), *(f"-H {_quote(line)}" for line in lines)]
        commands.append(" ".join(words))
    return commands


def _quote(text: str) -> str:
    """Quote a text as one word of bash and, except for % and !, of the shells of Windows."""
    word = re.sub(r'([\\"$`])', r"\\\1", text)
    return '"' + word.replace("!", '"\\!"') + '"'  # bash repeats an old command at ! even in quotes
