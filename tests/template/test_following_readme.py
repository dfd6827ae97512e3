"""The code blocks of every README work as it says.

A block of unknown type is run as a command, so a new block is always tested. `tests/template/test_readme.py` runs the
blocks of the template, this file those of a project.
"""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

import pytest
import requests
from markdown_it import MarkdownIt

from tests.baking import COMBINATIONS, BakedProject, environment, template
from tests.running import running
from tests.template.reading import Block, get_blocks, get_links

# the combinations whose README is followed, and whether the checks are run too. `test_generated.py` runs them for all
FOLLOWED = {"without-front-end": True, "proxy-without-front-end": False}
PROJECT = "{{cookiecutter.__project_slug}}"
DEPLOY = f"{PROJECT}/{{{{cookiecutter.__deploy_folder}}}}"
READMES = {  # every README, and the test that runs its blocks or the reason why none does
    "README.md": "tests/template/test_readme.py",
    "README.zh-CN.md": "has the same blocks, as tested below",
    "benchmarks/README.md": "a measurement of several minutes that is run by hand",
    f"{PROJECT}/README.md": "this file",
    f"{PROJECT}/crossorigin/README.md": "tests/crossorigin/test_readme.py",
    f"{PROJECT}/{{% if cookiecutter.chinese %}}README.zh-CN.md{{% endif %}}": "has the same blocks, as tested below",
    f"{DEPLOY}/{{{{cookiecutter.__kubernetes_folder}}}}/README.md": "needs a cluster: tests/operations/test_deploy.py",
}
PAGES = ["README.md", "docs/add-a-blueprint.md", "docs/uploads.md"]  # pages with commands for the reader
SERVERS = ("uv run dev.py", "uv run python -m ")  # run until stopped
PRODUCTION = {"APP_ENV": "production", "FRONTEND_ORIGINS": "https://app.example.com"}  # as in the README
BLOCKED = "uv run flask cors explain"  # exits with 1 for a blocked request, as the README says
CHECKS = "Test and check"
SHOWN = ("js", "py", "text")  # languages of blocks that show something, and that no reader runs in the project
ONLY_CHINESE = "\n## 术语与网络\n"  # terms, mirrors and PowerShell, for readers in China


@pytest.fixture
def project(request: pytest.FixtureRequest, get_installed: Callable[[str], BakedProject]) -> Iterator[BakedProject]:
    """Return a project to change and restore it afterwards, because a new one takes a minute."""
    found = get_installed(request.param)
    settings = found.read(".env")
    yield found
    (found.path / ".env").write_text(settings, "utf-8")
    shutil.rmtree(found.path / "instance", ignore_errors=True)
    found.check_output("git", "reset", "--quiet", "--hard")
    found.check_output("git", "clean", "--quiet", "--force", "-d")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not have the signal that stops the servers")
@pytest.mark.parametrize(("project", "checked"), FOLLOWED.items(), indirect=["project"], ids=FOLLOWED)
def test_each_block_does_what_the_readme_says(
    project: BakedProject, newcomer_env: dict[str, str], checked: bool
) -> None:
    found = [block for page in PAGES for block in get_blocks(project.read(page)) if block.language not in SHOWN]
    found.sort(key=lambda block: block.section == CHECKS)  # last, so that they include the new blueprint
    if not checked:
        found = [block for block in found if block.section != CHECKS]
    for block in found:
        follow(project, block, newcomer_env)
    assert "No changes detected" in shell(project, "uv run flask db check", newcomer_env)
    package = project.package
    assert re.search(
        rf"(?m)^/api/samples +{package}/samples\.py:\d+", shell(project, "uv run flask cors list", newcomer_env)
    )
    status = project.check_output("git", "status", "--porcelain").splitlines()
    assert {re.sub(r"(?<=migrations/).*", "", line[3:]) for line in status} == {
        *(f"{package}/{name}" for name in ("__init__.py", "models.py", "migrations/", "photos.py", "samples.py")),
        "tests/test_photos.py",
        "tests/test_samples.py",
    }


def test_every_block_of_every_combination_is_tested(get_baked: Callable[[str], BakedProject]) -> None:
    followed = {code for name in FOLLOWED for code in get_codes(get_baked(name), "README.md")}
    for combination in COMBINATIONS:
        project = get_baked(combination)
        for readme in (name for name in project.files if re.match("README", name)):
            assert get_codes(project, readme) - followed == set(), f"{combination}: {readme}"


def test_every_readme_is_listed() -> None:
    found = {path.relative_to(template()).as_posix() for path in template().rglob("*README*") if path.is_file()}
    assert found - set(READMES) == set()


@pytest.mark.parametrize("owner", ["the template", "interceptor-without-front-end", "proxy", "awkward-answers"])
def test_both_languages_have_the_same_contents(get_baked: Callable[[str], BakedProject], owner: str) -> None:
    project = BakedProject(template(), (), ()) if owner == "the template" else get_baked(owner)
    english, chinese = project.read("README.md"), project.read("README.zh-CN.md").partition(ONLY_CHINESE)[0]
    block_codes = [
        [(block.language, block.code) for block in get_blocks(text) if block.language != "text"]
        for text in (english, chinese)
    ]
    assert block_codes[0] == block_codes[1]
    assert get_facts(english) == get_facts(chinese)
    trees = [[block.code for block in get_blocks(text) if block.language == "text"] for text in (english, chinese)]
    assert [[line.split()[0] for line in tree.splitlines()] for tree in trees[0]] == [
        [line.split()[0] for line in tree.splitlines()] for tree in trees[1]
    ]
    assert "(README.zh-CN.md)" in english
    assert "(README.md)" in chinese


def get_facts(source: str) -> dict[str, object]:
    """Return the parts that do not depend on the language: headings, tables, names and links."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    parts = [part for token in tokens for part in token.children or []]
    return {
        "headings": [token.tag for token in tokens if token.type == "heading_open"],
        "rows of tables": [token.type for token in tokens if token.type in ("table_open", "tr_open")],
        "names": sorted({" ".join(part.content.split()) for part in parts if part.type == "code_inline"}),
        "links": {link.replace(".zh-CN", "") for link in get_links(source)} - {"README.md"},
    }


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_the_tree_and_the_policy_of_the_readme_are_true(
    get_baked: Callable[[str], BakedProject], combination: str
) -> None:
    project = get_baked(combination)
    shown = {block.language: block.code for block in get_blocks(project.read("README.md"))}
    folder, missing = "", []
    for line in shown["text"].splitlines():
        name = line.split()[0]
        folder = "" if not line.startswith(" ") else folder
        missing += [] if (project.path / folder / name).exists() else [folder + name]
        folder = name if name.endswith("/") else folder
    assert missing == []
    call = ast.parse(shown["py"].strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    written = re.search(r"(?s)^cors\((.*?)^\)", project.read(f"{project.package}/notes.py"), re.MULTILINE)
    assert written is not None
    assert all(f"{keyword.arg}=" in written[1] for keyword in call.keywords)


def get_codes(project: BakedProject, readme: str) -> set[str]:
    """Return the code of all blocks except those of the front end, with one package name."""
    found = get_blocks(project.read(readme))
    return {block.code.replace(project.package, "my_lab_api") for block in found if block.language not in SHOWN}


def follow(project: BakedProject, block: Block, env: Mapping[str, str]) -> None:
    """Run or write a block as a reader does."""
    if block.language == "python":
        write_code(project, block)
    elif re.fullmatch(r"([A-Z_]+=.*\n)+", block.code):
        assert_one_origin(project, block.code, env)
    else:
        for line in block.code.splitlines():
            if line.startswith(SERVERS):
                assert_serves(project, line, {**env, **PRODUCTION} if "python -m" in line else env)
            else:
                shell(project, line, env, code=1 if line.startswith(BLOCKED) else 0)


def write_code(project: BakedProject, block: Block) -> None:
    """Write code where its sentence says: below a line, at the end of a file, or into a new file."""
    quoted = re.findall("`([^`]+)`", block.sentence)
    name = next((text for text in quoted if text.endswith(".py")), f"{project.package}/__init__.py")
    path = project.path / name
    if "a new file" in block.sentence:
        assert not path.exists()
        path.write_text(block.code, "utf-8")
    elif "at the end of" in block.sentence:
        path.write_text(f"{project.read(name)}\n\n{block.code}", "utf-8")
    else:
        line = re.search(rf"(?m)^ *{re.escape(quoted[-1])}\n", project.read(name))
        assert line is not None, block.sentence
        path.write_text(project.read(name).replace(line[0], line[0] + block.code), "utf-8")


def assert_one_origin(project: BakedProject, settings: str, env: Mapping[str, str]) -> None:
    """Assert that settings in `.env` lead to one origin, then restore the file."""
    before = project.read(".env")
    names = "|".join(re.findall("(?m)^[A-Z_]+", settings))
    (project.path / ".env").write_text(re.sub(f"(?m)^({names})=.*\n", "", before) + settings, "utf-8")
    assert "Mode: one origin" in shell(project, "uv run flask cors list", env)
    (project.path / ".env").write_text(before, "utf-8")


def assert_serves(project: BakedProject, line: str, env: Mapping[str, str]) -> None:
    """Run a command until its server responds, then stop it."""

    def is_ready() -> bool:
        try:
            return requests.get(f"{started.api}/health/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    with running(project, env, shlex.split(line)) as started:
        started.wait_until(is_ready)
        started.stop()
        assert started.wait_until_gone()


def shell(project: BakedProject, line: str, env: Mapping[str, str], code: int = 0) -> str:
    """Run a line in the shell. A password prompt gets the password twice."""
    done = subprocess.run(
        line,
        shell=True,
        cwd=project.path,
        env=environment(env),
        input="correct horse battery\n" * 2,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,  # without a terminal, the command reads the password from stdin
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"{line} exited with {done.returncode}:\n{done.stdout}"
    return done.stdout
