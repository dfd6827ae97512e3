"""The output of the template: its files, its git repository and its limits."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baking import BakedProject, bake, template

ALWAYS = """.env .env.example .flaskenv .gitattributes .gitignore README.md dev.py pyproject.toml
    my_lab_api/__init__.py my_lab_api/config.py my_lab_api/extensions.py my_lab_api/errors.py my_lab_api/models.py
    my_lab_api/sessions.py my_lab_api/commands.py my_lab_api/public.py my_lab_api/auth.py my_lab_api/notes.py
    my_lab_api/cors_headers.py crossorigin/__init__.py crossorigin/preflight.py crossorigin/doctor/cli.py
    my_lab_api/demo.py my_lab_api/frontend.py
    my_lab_api/demo_assets/cors.png my_lab_api/demo_assets/cors.ttf tests/conftest.py""".split()
FRONT_END = """frontend/index.html frontend/package.json frontend/package-lock.json frontend/vite.config.ts
    frontend/src/api.ts frontend/src/main.ts frontend/src/app/notes.ts frontend/src/demo/demo.ts""".split()
BINARY = (".png", ".ttf")


def find_text_files(project: BakedProject) -> list[str]:
    return [name for name in project.files if not name.endswith(BINARY)]


def test_the_expected_files_exist(project: BakedProject) -> None:
    expected = {name.replace("my_lab_api", project.package) for name in ALWAYS}
    assert sorted(expected - set(project.files)) == []


def test_the_front_end_exists_if_chosen(get_baked: Callable[[str], BakedProject]) -> None:
    assert sorted(set(FRONT_END) - set(get_baked("default").files)) == []


def test_the_front_end_does_not_exist_if_not_chosen(get_baked: Callable[[str], BakedProject]) -> None:
    assert not (get_baked("without-front-end").path / "frontend").exists()


def test_without_the_front_end_all_other_files_exist(get_baked: Callable[[str], BakedProject]) -> None:
    others = (
        "frontend/",
        "docs/another-front-end.md",
        "deploy/",
        ".dockerignore",
    )  # this combination has no deployment
    rest = [name for name in get_baked("default").files if not name.startswith(others)]
    assert list(get_baked("without-front-end").files) == rest


def test_no_folder_is_empty(project: BakedProject) -> None:
    assert project.empty_folders == ()


def test_no_template_syntax_remains(project: BakedProject) -> None:
    left = [n for n in find_text_files(project) if re.search(r"\{\{ ?cookiecutter|\{%|cookiecutter\.", project.read(n))]
    assert left == []


def test_no_line_has_trailing_white_space(project: BakedProject) -> None:
    wrong = [n for n in find_text_files(project) if re.search(r"[ \t]+$", project.read(n), flags=re.MULTILINE)]
    assert wrong == []


def test_every_file_has_lf_line_ends_and_a_final_one(project: BakedProject) -> None:
    wrong = [n for n in find_text_files(project) if "\r" in (text := project.read(n)) or (text and text[-1] != "\n")]
    assert wrong == []


def assert_windows_can_check_out(names: list[str]) -> None:
    parts = {part for name in names for part in name.split("/")}
    assert [part for part in sorted(parts) if re.search(r'[<>:"|?*\\\0-\x1f]|[. ]$', part)] == []
    assert [part for part in sorted(parts) if re.match(r"(?i)(aux|con|nul|prn|com\d|lpt\d)(\.|$)", part)] == []
    assert len({name.lower() for name in names}) == len(names)
    assert max(map(len, names)) < 160  # Windows allows 260, including the parent folder


def test_windows_can_check_out_every_file(project: BakedProject) -> None:
    assert_windows_can_check_out(list(project.files))


def test_windows_can_check_out_every_file_of_the_template() -> None:
    root = template()
    assert_windows_can_check_out([p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()])


def test_binary_files_are_copied_unchanged(project: BakedProject) -> None:
    source = get_project_folder() / "{{cookiecutter.__package}}" / "demo_assets"
    for name in ("cors.png", "cors.ttf"):
        assert (project.path / project.package / "demo_assets" / name).read_bytes() == (source / name).read_bytes()


def test_the_sources_of_the_front_end_are_copied_unchanged(get_baked: Callable[[str], BakedProject]) -> None:
    source = get_project_folder() / "{{cookiecutter.__frontend_folder}}"
    for path in (path for path in source.rglob("*") if path.is_file() and path.name != "index.html"):
        written = get_baked("awkward-answers").path / "frontend" / path.relative_to(source)
        assert written.read_bytes() == path.read_bytes()


def test_the_first_commit_on_main_has_all_files(project: BakedProject) -> None:
    assert project.check_output("git", "branch", "--show-current") == "main\n"
    assert project.check_output("git", "rev-list", "--count", "HEAD") == "1\n"
    committed = project.check_output("git", "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert sorted(committed) == sorted(set(project.files) - {".env"})


def test_nothing_is_left_to_commit(tmp_path: Path) -> None:
    project = bake(tmp_path / "out")
    assert project.check_output("git", "status", "--porcelain") == ""
    assert project.check_output("git", "check-ignore", ".env") == ".env\n"


def test_each_project_has_its_own_secret_key(tmp_path: Path, project: BakedProject) -> None:
    keys = [re.search("(?m)^SECRET_KEY=([0-9a-f]{64})$", p.read(".env")) for p in (project, bake(tmp_path / "out"))]
    assert keys[0] is not None
    assert keys[1] is not None
    assert keys[0][1] != keys[1][1]
    assert re.search("(?m)^SECRET_KEY=$", project.read(".env.example"))


def get_project_folder() -> Path:
    return template() / "{{cookiecutter.__project_slug}}"


def find_template_sources() -> list[Path]:
    return [path for path in get_project_folder().rglob("*") if path.is_file() and path.suffix not in BINARY]


def test_no_function_body_has_a_template_statement() -> None:
    inside = []
    for path in find_template_sources():
        depth = None  # indentation of the current function
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            indent = len(line) - len(line.lstrip())
            if depth is not None and line.strip() and indent <= depth and "{%" not in line:
                depth = None
            if depth is not None and "{%" in line:
                inside.append(f"{path.name}:{number}")
            if depth is None and re.match(r"\s*(async )?(def|function|export function|export async function)\b", line):
                depth = indent
    assert inside == []


def test_each_question_has_a_prompt() -> None:
    context = json.loads((template() / "cookiecutter.json").read_text("utf-8"))
    questions = [name for name in context if not name.startswith("_")]
    assert sorted(context["__prompts__"]) == sorted(questions)
    for name in questions:
        if isinstance(context[name], list):
            assert set(context["__prompts__"][name]) == {"__prompt__", *context[name]}


@pytest.mark.parametrize(("path", "maximum"), [("hooks/post_gen_project.py", 80), ("dev.py", 220)])
def test_scripts_stay_short(path: str, maximum: int) -> None:
    root = template() if path.startswith("hooks/") else get_project_folder()
    assert (root / path).read_text("utf-8").count("\n") <= maximum
