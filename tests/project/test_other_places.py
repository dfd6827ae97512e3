"""The settings in docs/other-places.md work with the host names of each place."""

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.baking import PLAIN_PIP, BakedProject, environment, template
from tests.running import preferred_port, running
from tests.serving import serving
from tests.template.reading import Block, get_blocks

PAGE = template() / "{{cookiecutter.__project_slug}}" / "docs" / "other-places.md"
SECTIONS = {  # sections about development: an accepted Host header, and a refused one
    "How do I open it on a phone or another computer?": ("192.168.1.5:5173", "lab.example"),
    "How do I share it through a tunnel?": ("some-words.trycloudflare.com", "lab.example"),
    "How do I use GitHub Codespaces?": ("name-5173.app.github.dev", "name-5173.example"),
}
SERVER = "How do I run it on a server without containers?"
DEMO = {"username": "demo", "password": "demo-password"}
posix = pytest.mark.skipif(sys.platform == "win32", reason="the commands need a POSIX shell")


def find_block(section: str, language: str = "") -> Block:
    found = [b for b in get_blocks(PAGE.read_text("utf-8")) if b.section == section and b.language == language]
    assert len(found) == 1, section
    return found[0]


def test_a_test_uses_each_block() -> None:
    sections = [found.section for found in get_blocks(PAGE.read_text("utf-8"))]
    more = [SERVER, "How do I serve it below a path, such as /lab/?"]  # tests/browser/test_below_a_path.py
    assert sections == [*SECTIONS, more[0], *more, more[1]]


@pytest.fixture
def project_copy(with_node: BakedProject, tmp_path: Path) -> BakedProject:
    """Return a copy of the default project without generated files, with linked packages."""
    left_out = shutil.ignore_patterns(".venv", "node_modules", "instance", "dist", ".env")
    shutil.copytree(with_node.path, tmp_path / "lab", ignore=left_out)
    (tmp_path / "lab/frontend/node_modules").symlink_to(with_node.path / "frontend/node_modules")
    return BakedProject(tmp_path / "lab", with_node.files, ())


def can_sign_in_at(started_page: str, host: str) -> bool:
    """Sign in as a page of this host. Return whether the next request is signed in."""
    scheme = "http" if host[0].isdigit() else "https"
    headers = {"Host": host, "Origin": f"{scheme}://{host}"}
    headers |= {"Sec-Fetch-Site": "same-origin"} if scheme == "https" else {}
    with requests.Session() as session:
        answer = session.post(f"{started_page}/api/auth/login", json=DEMO, headers=headers, timeout=30)
        cookie = "; ".join(f"{name}={value}" for name, value in answer.cookies.items())
        me = session.get(f"{started_page}/api/auth/me", headers={"Host": host, "Cookie": cookie}, timeout=30)
        return (answer.status_code, me.status_code) == (200, 200)


@posix
@pytest.mark.parametrize("section", SECTIONS)
def test_with_the_settings_a_page_there_can_sign_in(
    with_node: BakedProject, project_copy: BakedProject, section: str
) -> None:
    host, other = SECTIONS[section]
    lines = find_block(section).code
    names = "|".join(re.findall("(?m)^[A-Z_]+", lines))
    env = {"PYTHONPATH": str(project_copy.path), "CODESPACES": "true" if "Codespaces" in section else ""}
    if not env["CODESPACES"]:  # in Codespaces, dev.py writes them
        example = with_node.read(".env")
        (project_copy.path / ".env").write_text(re.sub(f"(?m)^({names})=.*\n", "", example) + lines, "utf-8")
    with running(project_copy, env, [with_node.python, "dev.py"]) as started:
        started.wait_until_ready()
        assert set(lines.splitlines()) <= set(project_copy.read(".env").splitlines())
        page = requests.get(started.page, headers={"Host": host}, timeout=30)
        assert 'id="page-origin"' in page.text
        assert can_sign_in_at(started.page, host)
        assert requests.get(started.page, headers={"Host": other}, timeout=30).status_code == 403
        assert ("Network: http" in started.output) == ("HOST=0.0.0.0" in lines)
        assert f"Settings: {project_copy.path / '.env'}" in started.output
        assert f"Database: sqlite:///{project_copy.path / 'instance'}/" in started.output


@posix
def test_the_commands_for_a_server_without_containers_work(
    get_baked: Callable[[str], BakedProject], tmp_path: Path
) -> None:
    project, port = get_baked("without-front-end"), preferred_port(0)
    settings = re.sub("(?m)^SECRET_KEY=.*$", f"SECRET_KEY={secrets.token_hex(32)}", find_block(SERVER).code)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / ".env").write_text(settings, "utf-8")
    script = find_block(SERVER, "sh").code
    script = script.replace("/path/of/the/project", str(project.path)).replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    *steps, server = script.replace("python3 -m venv", f"{sys.executable} -m venv").splitlines()
    done = subprocess.run(
        "\n".join(["set -e", *steps]),
        shell=True,
        cwd=folder,
        env=environment(PLAIN_PIP),
        input="correct horse battery\n" * 2,
        capture_output=True,
        encoding="utf-8",
        start_new_session=True,  # without a terminal, the command reads the password from stdin
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with serving(server.split(), port, folder) as log:
        hello = requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=30)
        assert hello.status_code == 200
        said = log.read_text("utf-8")
        assert str(folder / ".env") in said
        assert f"sqlite:///{folder / 'instance'}/" in said
    assert {path.name for path in folder.iterdir()} == {".env", "instance", "venv"}
    application = subprocess.run(
        [folder / "venv/bin/python", "-c", "from wsgi import application; print(application.name)"],
        cwd=folder,
        env=environment({"PATH": os.defpath}),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert application.stdout == f"{project.package}\n"
