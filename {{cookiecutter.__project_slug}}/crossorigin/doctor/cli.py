"""`flask cors`: list the policies, explain a request, check for mistakes."""

import json
import re
import sys
import textwrap
from collections.abc import Iterable

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

from ..declare import get_policies
from ..dry_run import dry_run
from ..policy import FromConfig
from .browser import Request, Step, needs_preflight, normalize_method, preflight_headers
from .checks import misfits
from .fixes import VITE
from .trace import Explanation, explain, request_of
from .transport import InProcess, Live, request_headers

MDN = "https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS/Errors/"
MEND = "mend what it names, in .env or beside the blueprint; then start again"
WIDTH = 96
commands = AppGroup("cors", help="Which pages may call this API, and why a request is blocked.")


@commands.command("list", with_appcontext=False)
def list_policies() -> None:
    """Show each policy, and what does not fit."""
    app = load_app()
    one_origin = app.config.get("FRONTEND_ORIGINS") == "none"
    mode = "proxy (page and API are one origin)" if one_origin else "cross-origin (the page has its own)"
    say(f"Mode: {mode}.")
    policies = get_policies(app)
    for policy, declaration in zip(policies.built, policies.declarations, strict=True):
        given, automatic = declaration.options["origins"], declaration.options["methods"] is None
        origins = ", ".join(given) if not isinstance(given, FromConfig) else app.config.get(given.name, "")
        rows = {
            "origins": f"{given.name} → {origins}" if isinstance(given, FromConfig) else origins,
            "credentials": "yes" if policy.credentials else "no",
            "methods": (", ".join(policy.methods) or "none") + " (those of the routes)" * automatic,
            "headers": ", ".join(policy.request_headers) or "only those that a plain form sends",
            "exposed": ", ".join(policy.expose_headers) or "only those that are always readable",
            "max-age": "5 s (the browser's own)" if policy.max_age is None else f"{policy.max_age} s",
        }
        say(f"\n{policy.prefix}   {policy.place}, blueprint {policy.blueprint}")
        for name, value in rows.items():
            say(f"{name:<12} {value}", "  ", " " * 15)
    say("\nAny other path is for pages of the API's own origin.")
    say()
    with dry_run():
        say_problems(list(misfits(app)))


@commands.command("check", with_appcontext=False)
@click.option("--json", "as_json", is_flag=True, help="Print {ok, problems} and nothing else.")
def check(as_json: bool) -> None:
    """Fail on what is refused at the start and on what does not fit, with exit code 1; for CI."""
    try:
        app = load_app()
        with dry_run():
            problems = list(misfits(app))
    except click.ClickException as error:
        lines = error.message.splitlines()
        problems = [line.removeprefix("  - ") for line in lines[1:] or lines]
    if as_json:
        say(json.dumps({"ok": not problems, "problems": problems}))
    else:
        say_problems(problems)
    raise SystemExit(1 if problems else 0)


@commands.command("explain", with_appcontext=False)
@click.argument("method")
@click.argument("target", metavar="PATH-OR-URL")
@click.option("--origin", required=True, help="The page's origin, as http://localhost:5173.")
@click.option("-H", "--header", "headers", multiple=True, metavar="'Name: value'", help="Of its script.")
@click.option("--credentials", is_flag=True, help="With cookies (axios: withCredentials).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--curl", is_flag=True, help="Print curl commands that do the same, too.")
@click.option("--send", is_flag=True, help="To a URL: really send a method that may change something.")
def explain_request(
    method: str,
    target: str,
    origin: str,
    headers: tuple[str, ...],
    credentials: bool,
    as_json: bool,
    curl: bool,
    send: bool,
) -> None:
    """Tell why a page's request is blocked, and what to write where.

    A path is asked of this application in process, where no view runs for a method that may change
    something; a URL is asked over the network. Exit code: 0 allowed, 1 blocked, 2 wrong usage.
    """
    if as_json and curl:
        raise click.UsageError("--json prints nothing else; leave out --curl.")
    if re.match(r"[A-Za-z]:[/\\]", target):
        raise click.UsageError(f"{target!r} is a file, into which Git Bash turns a path; write it without /.")
    if re.match(r"[A-Za-z0-9.-]+:[0-9]+(/|\Z)", target):
        raise click.UsageError(f"{target!r} has no scheme; write http://{target}")
    live, app, refusal = "://" in target, None, ""
    try:
        app = load_app()
    except click.ClickException as error:
        refusal = error.message
    config = app.config if app else {}
    address = config.get("API_URL") or f"http://localhost:{config.get('PORT', 8000)}"
    if config.get("FRONTEND_ORIGINS") == "none" and origin == VITE:
        address = VITE  # its page asks its own address, and Vite passes that on
    try:
        url = target if live else f"{address}/{target.lstrip('/')}"
        request = request_of(method, url, origin, map(split_header, headers), credentials)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if app:
        network = Live(send=send)
        exchange = network if live else InProcess(app, address, views=True, beyond=network)
        found = explain(request, exchange, app)
    else:
        found = Explanation(request, [Step("The API starts", False, refusal)])
        found.reason, found.cure = "CORSDidNotSucceed", MEND
    if as_json:
        say(json.dumps(found.as_dict()))
    else:
        say_explanation(found)
        say("\n" + "\n".join(curl_commands(request)) if curl else "")
    raise SystemExit(0 if found.allowed else 1)


def load_app() -> Flask:
    """Return the application, checked as a server checks it at the first request.

    Raises:
        click.ClickException: when settings or policies are refused.
    """
    with dry_run():
        app = click.get_current_context().ensure_object(ScriptInfo).load_app()
        get_policies(app).check()
    return app


def split_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise ValueError(f"-H {line!r} is no header; write it as 'X-Lab: 1'.")
    return name, value.strip(" \t")


def say_explanation(found: Explanation) -> None:
    request = found.request
    cookies = ", with credentials" * request.credentials
    say(f"{request.method} {request.url}\nfrom a page of {request.origin}{cookies}\n")
    for step in found.steps:
        say(f"{'yes' if step.ok else 'NO':<5}{step.step}")
        for line in step.detail.splitlines():
            say(line, " " * 7, " " * 9)
    known = f"the answer {found.status}" if found.status else "whatever the view answers"
    verdict = f"ALLOWED: the page gets {known}." if found.allowed else f"BLOCKED: {found.steps[-1].detail}"
    say("\n" + verdict)
    if found.cure:
        say(f"Cure: {found.cure}", "", " " * 6)
    if found.reason:
        say(f"More: {MDN}{found.reason}")


def say_problems(problems: list[str]) -> None:
    say("This does not fit:" if problems else "Everything fits.")
    for problem in problems:
        say(f"- {problem}", "  ", " " * 4)


def say(text: str = "", first: str = "", others: str = "") -> None:
    """Print, whatever characters the console lacks; with indents, a paragraph of a width that people read."""
    if others:
        paragraph = textwrap.TextWrapper(WIDTH, first, others, break_on_hyphens=False, break_long_words=False)
        text = paragraph.fill(text)
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))


def curl_commands(request: Request) -> list[str]:
    """Return what sends the same from a terminal: the preflight, where there is one, and the request."""
    method = normalize_method(request.method)
    kinds = {"GET": "", "HEAD": " --head"}
    kind = kinds.get(method, f" -X {method if method.isalnum() else _quoted(method)}")
    first = [_curl(" -X OPTIONS", request.url, preflight_headers(request))] * needs_preflight(request)
    return [*first, _curl(kind, request.url, request_headers(request))]


def _curl(kind: str, url: str, headers: Iterable[tuple[str, str]]) -> str:
    given = "".join(f" -H {_quoted(f'{name}: {value}')}" for name, value in headers)
    return f"curl -i{kind} {_quoted(url)}{given}"


def _quoted(text: str) -> str:
    """Return a text as one word of bash, and (but for % and !) of the shells of Windows."""
    word = re.sub(r'([\\"$`])', r"\\\1", text)
    return '"' + word.replace("!", '"\\!"') + '"'  # bash repeats an old command at ! even in quotes
