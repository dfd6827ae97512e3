"""`flask cors explain` with nginx and Caddy in front: which server responded, and where the fix is."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.baking import BakedProject, tool
from tests.production import create_production_settings, serving_api
from tests.proxies import nginx_command
from tests.running import preferred_port
from tests.serving import serving

PAGE, EVIL = "https://app.example.com", "https://evil.example.com"
# the project's Python runs all commands in one process
EXPLAIN = """
import functools, json, sys
from click.testing import CliRunner
from flask.cli import ScriptInfo, cli
from {package} import create_app

create, results = functools.cache(create_app), []
for arguments in json.loads(sys.argv[1]):
    result = CliRunner().invoke(cli, ["cors", "explain", *arguments], obj=ScriptInfo(create_app=create))
    results.append(json.loads(result.stdout))
print(json.dumps(results))
"""
PASS = "proxy_pass http://127.0.0.1:{api}; proxy_set_header Host $http_host;"
NGINX = {  # the server block
    "passes on": f"location / {{ {PASS} }}",
    "a second header": f"location / {{ {PASS} add_header Access-Control-Allow-Origin $http_origin always; }}",
    "answers OPTIONS": f"if ($request_method = OPTIONS) {{ return 204; }} location / {{ {PASS} }}",
    "refuses OPTIONS": f"if ($request_method = OPTIONS) {{ return 405; }} location / {{ {PASS} }}",
    "any origin for OPTIONS": f"""location / {{
        if ($request_method = OPTIONS) {{
            add_header Access-Control-Allow-Origin *; add_header Access-Control-Allow-Methods "GET, PUT";
            add_header Access-Control-Allow-Headers content-type; return 204;
        }}
        {PASS}
    }}""",
    "a sign-in by 401": f'auth_basic "sign in"; auth_basic_user_file /dev/null; location / {{ {PASS} }}',
    "a sign-in elsewhere": "return 302 https://sign-in.example.org/?next=$request_uri;",
    "to https": "return 301 https://$host$request_uri;",
    "a large body": "return 413;",
    "the API down": "location / { proxy_pass http://127.0.0.1:{dead}; }",
}
CADDY = {  # the site block
    "passes on": "reverse_proxy 127.0.0.1:{api}",
    "a second header": 'header +Access-Control-Allow-Origin "{header.Origin}"\n reverse_proxy 127.0.0.1:{api}',
    "answers OPTIONS": "@asked method OPTIONS\n respond @asked 204\n reverse_proxy 127.0.0.1:{api}",
    "refuses OPTIONS": "@asked method OPTIONS\n respond @asked 405\n reverse_proxy 127.0.0.1:{api}",
    "a sign-in by 401": "respond 401",
    "a sign-in elsewhere": "redir https://sign-in.example.org/?next={uri}",
    "to https": "redir https://{host}{uri} 308",
    "a large body": "respond 413",
    "the API down": "reverse_proxy 127.0.0.1:{dead}",
}
ME = ["GET", "/api/auth/me"]
PUT = ["PUT", "/api/notes/1", "-H", "Content-Type: application/json"]
SITUATIONS = [  # the behaviour of the server in front, the request, the page, who responded, and the fix
    ("passes on", PUT, PAGE, "app", None),
    ("passes on", ME, PAGE, "app", None),
    ("passes on", PUT, EVIL, "app", f"FRONTEND_ORIGINS={PAGE},{EVIL}"),
    ("passes on", ME, EVIL, "app", f"FRONTEND_ORIGINS={PAGE},{EVIL}"),
    ("a second header", ME, PAGE, "proxy", "remove what writes Access-Control-Allow-Origin"),
    ("a second header", PUT, PAGE, "proxy", "remove what writes Access-Control-Allow-Origin"),
    ("answers OPTIONS", PUT, PAGE, "proxy", "pass OPTIONS and PUT /api/notes/1 to the API"),
    ("refuses OPTIONS", PUT, PAGE, "proxy", "pass OPTIONS and PUT /api/notes/1 to the API"),
    ("any origin for OPTIONS", PUT, PAGE, "proxy", "pass OPTIONS and PUT /api/notes/1 to the API"),
    ("a sign-in by 401", ME, PAGE, "proxy", "pass GET /api/auth/me to the API without its sign-in"),
    ("a sign-in by 401", PUT, PAGE, "proxy", "pass OPTIONS and PUT /api/notes/1 to the API without its sign-in"),
    ("a sign-in elsewhere", ME, PAGE, "proxy", "without its sign-in, which is at sign-in.example.org"),
    ("a sign-in elsewhere", PUT, PAGE, "proxy", "without its sign-in, which is at sign-in.example.org"),
    ("to https", PUT, PAGE, "proxy", "in the page's call: https://localhost"),
    ("a large body", ME, PAGE, "proxy", "client_max_body_size"),
    ("the API down", ME, PAGE, "proxy", "start the API behind the server in front that answered 502"),
    ("the API down", PUT, PAGE, "proxy", "start the API behind the server in front that answered 502"),
]


@pytest.fixture(scope="module")
def explanations(
    get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, int], dict[str, Any]]]:
    """Return the explanations by proxy and by the number of the situation."""
    folder, project = tmp_path_factory.mktemp("who"), get_installed("default")
    changes = {"FRONTEND_ORIGINS": PAGE, "TRUSTED_HOSTS": "localhost", "WORKERS": "1", "CROSS_SITE_COOKIES": "1"}
    settings = create_production_settings(project, folder, changes)
    with ExitStack() as stack:
        api = stack.enter_context(serving_api(folder, project, settings))
        dead = str(preferred_port(0))
        ports = {}
        for name, sites in {"nginx": NGINX, "Caddy": CADDY}.items():
            ports[name] = {site: preferred_port(0) for site in sites}
            texts = {
                port: sites[site].replace("{api}", str(api.port)).replace("{dead}", dead)
                for site, port in ports[name].items()
            }
            (folder / name).mkdir()
            command = COMMANDS[name](folder / name, texts)
            stack.enter_context(serving(command, max(texts), folder / name, {"XDG_DATA_HOME": str(folder / name)}))
        asked = {
            (name, number): build_arguments(ports[name][front], *words, page=page)
            for name in ports
            for number, (front, words, page, _, _) in enumerate(SITUATIONS)
            if front in ports[name]
        }
        code = EXPLAIN.format(package=project.package)
        said = project.check_output(project.python, "-c", code, json.dumps(list(asked.values())), env=settings)
        yield dict(zip(asked, json.loads(said.splitlines()[-1]), strict=True))


def build_arguments(port: int, method: str, path: str, *more: str, page: str) -> list[str]:
    return [method, f"http://localhost:{port}{path}", *more, "--origin", page, "--credentials", "--json"]


def run_nginx(folder: Path, servers: Mapping[int, str]) -> list[str]:
    blocks = [f"server {{ listen 127.0.0.1:{port}; {text} }}" for port, text in servers.items()]
    return nginx_command(folder, "\n".join(blocks))


def run_caddy(folder: Path, servers: Mapping[int, str]) -> list[str]:
    sites = [f"http://localhost:{port} {{\n {text}\n}}\n" for port, text in servers.items()]
    options = "{\n admin off\n auto_https off\n default_bind 127.0.0.1\n}\n"
    (folder / "Caddyfile").write_text(options + "".join(sites), encoding="utf-8")
    return [tool("caddy"), "run", "--adapter", "caddyfile", "--config", "Caddyfile"]


COMMANDS: dict[str, Callable[[Path, Mapping[int, str]], list[str]]] = {"nginx": run_nginx, "Caddy": run_caddy}


@pytest.mark.parametrize("proxy", COMMANDS)
@pytest.mark.parametrize("number", range(len(SITUATIONS)), ids=[f"{s[0]}, {s[1][0]}, {s[2]}" for s in SITUATIONS])
def test_explain_names_the_server_that_responded_and_the_fix(
    explanations: dict[tuple[str, int], dict[str, Any]], proxy: str, number: int
) -> None:
    _, _, _, by, fix = SITUATIONS[number]
    if (proxy, number) not in explanations:
        pytest.skip("Caddy has no configuration for this situation")
    found = explanations[proxy, number]
    assert (found["answered_by"], found["allowed"]) == (by, fix is None), found["fix"]
    assert fix is None or fix in found["fix"]
    if by == "proxy" and "in the page's call" not in found["fix"]:
        assert (found["edits"], "A change in this project does not help" in found["fix"]) == ([], True)
