"""Page and API as one origin with Vite, Flask and Caddy, and changes between one origin and two."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.baking import BakedProject, tool
from tests.running import preferred_port, running
from tests.serving import serving

EVIL = "https://evil.example"
DEMO = {"username": "demo", "password": "demo-password"}
BUILD = ["node", "node_modules/vite/bin/vite.js", "build"]
# sent by Flask and by Caddy, as docs/production.md says
CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data: blob:; base-uri 'none'; frame-ancestors 'none'"
ONE_ORIGIN = {"FRONTEND_ORIGINS": "none", "VITE_API_URL": ""}


@pytest.fixture(scope="module")
def project(get_complete: Callable[[str], BakedProject]) -> BakedProject:
    """Return the project with the strategy proxy."""
    return get_complete("proxy")


def cors_headers(answer: requests.Response) -> list[str]:
    return [name.lower() for name in answer.headers if name.lower().startswith("access-control-")]


def check_one_origin(origin: str, sign_in: bool = True) -> None:
    """Check the behaviour of every proxy: the responses of the API at the origin of the page."""
    hello = requests.get(f"{origin}/api/public/hello", headers={"Origin": origin}, timeout=30)
    assert hello.json() == {"message": "Hello, World!"}
    assert cors_headers(hello) == ["access-control-allow-origin"]  # open to every page, as its policy says
    assert cors_headers(requests.get(f"{origin}/api/auth/me", headers={"Origin": origin}, timeout=30)) == []
    preflight_headers = {"Origin": EVIL, "Access-Control-Request-Method": "PUT"}
    preflight = requests.options(f"{origin}/api/notes", headers=preflight_headers, timeout=30)
    assert (preflight.status_code, cors_headers(preflight)) == (403, [])
    missing = requests.get(f"{origin}/api/nothing", timeout=30)
    assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/problem+json")
    for page, status in ((EVIL, 403), (origin, 200 if sign_in else 401)):
        login = requests.post(f"{origin}/api/auth/login", json=DEMO, headers={"Origin": page}, timeout=30)
        assert login.status_code == status, login.text  # CSRF protection compares with the host that the browser sees
    assert 'id="page-origin"' in requests.get(f"{origin}/", timeout=30).text


def test_in_development_vite_forwards_requests(project: BakedProject) -> None:
    with running(project) as started:
        started.wait_until_ready()
        check_one_origin(started.page)
        assert "/api/public/hello 200" in started.output


def test_two_lines_in_dotenv_change_two_origins_to_one_and_back(
    get_complete: Callable[[str], BakedProject], tmp_path: Path
) -> None:
    default = get_complete("default")
    project = BakedProject(tmp_path / "lab", default.files, ())
    left_out = shutil.ignore_patterns(".venv", "node_modules", "instance", "dist")
    shutil.copytree(default.path, project.path, ignore=left_out)
    (project.path / "frontend/node_modules").symlink_to(default.path / "frontend/node_modules")
    two = project.read(".env")
    one = two
    for name, value in ONE_ORIGIN.items():
        one, changed = re.subn(rf"(?m)^{name}=.*$", f"{name}={value}", one)
        assert changed == 1
    started_by = [default.python, "dev.py"]
    for text in (one, two):
        (project.path / ".env").write_text(text, "utf-8")
        with running(project, command=started_by, env={"PYTHONPATH": str(project.path)}) as started:
            started.wait_until_ready()
            cross_origin_headers = {"Origin": started.page}
            answer = requests.get(f"{started.api}/api/auth/me", headers=cross_origin_headers, timeout=30)
            assert answer.headers.get("Access-Control-Allow-Origin") == (started.page if text is two else None)
            stub = requests.get(f"{started.page}/src/api.ts", timeout=30).text
            address = re.search(r'"VITE_API_URL": "([^"]*)"', stub)
            assert address is not None
            assert address[1] == (started.api if text is two else "")
            through_vite = requests.get(f"{started.page}/api/public/hello", timeout=30)
            assert through_vite.json() == {"message": "Hello, World!"}


@pytest.fixture(scope="module")
def production(project: BakedProject, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the project in production with its built page, without https. Yield its URL."""
    project.check_output(*BUILD, folder="frontend")
    port = preferred_port(0)
    database = tmp_path_factory.mktemp("production") / "lab.sqlite"
    settings = {"APP_ENV": "production", "PORT": str(port), "DATABASE_URL": f"sqlite:///{database}"}
    project.check_output(project.python, "-m", "flask", "db", "upgrade", env=settings)
    command = [project.python, "-m", project.package]
    with serving(command, port, project.path, settings):
        yield f"http://localhost:{port}"


def test_in_production_flask_serves_the_page(project: BakedProject, production: str) -> None:
    assert f"`{CONTENT_SECURITY_POLICY}`" in project.read("docs/production.md")
    check_one_origin(production, sign_in=False)  # production refuses the demo password
    script = check_build(production)
    assert "immutable" in script.headers["Cache-Control"]


def test_in_production_caddy_can_serve_the_page(project: BakedProject, production: str) -> None:
    port = preferred_port(0)
    site = f"http://localhost:{port}"
    settings = {"SITE": site, "API": production.removeprefix("http://")}
    settings["CADDY_ADMIN"] = f"localhost:{preferred_port(0)}"
    command = [tool("caddy"), "run", "--adapter", "caddyfile", "--config", "deploy/Caddyfile"]
    with serving(command, port, project.path, settings):
        check_one_origin(site, sign_in=False)
        script = check_build(site)
        assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        gone = requests.get(f"{site}/assets/gone.js", timeout=30)
        assert (gone.status_code, gone.headers.get("Cache-Control")) == (404, None)  # the next build can contain it


def check_build(site: str) -> requests.Response:
    """Check the page and its deep links. Return the response with its script."""
    for path in ("/", "/samples/7"):
        page = requests.get(site + path, timeout=30)
        assert page.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert "no-cache" in page.headers["Cache-Control"]
        names = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        assert len(names) >= 2
    scripts = [requests.get(site + name, timeout=30) for name in names]
    assert [script.status_code for script in scripts] == [200] * len(names)
    return scripts[0]
