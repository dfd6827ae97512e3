"""The tests of a project still pass after the changes that students make."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.baking import BakedProject

Change = Callable[[BakedProject], object]
UPLOAD = """
from io import BytesIO


def test_an_upload(client):
    file = (BytesIO(b"x" * 1_000_000), "samples.bin")
    assert client.post("/no/such/path", data={"file": file}).status_code == 404
"""


def build_edit(file: str, *replacements: tuple[str, str]) -> Change:
    """Return a function that replaces patterns in a file of the package."""

    def change(project: BakedProject) -> None:
        path = project.path / project.package / file
        text = path.read_text("utf-8")
        for pattern, replacement in replacements:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            assert count, f"{file} has no {pattern!r}. Update CHANGES"
        path.write_text(text, "utf-8")

    return change


def add_a_column(project: BakedProject) -> None:
    """Add a field to notes and a database revision for it."""
    build_edit("models.py", (r"^    title: Mapped\[str\].*", r"\g<0>\n    room: Mapped[str | None] = mapped_column()"))(
        project
    )
    build_edit(
        "notes.py", (r"^    title = .*", r"\g<0>\n    room = ma.fields.String(load_default=None, allow_none=True)")
    )(project)
    settings = {"DATABASE_URL": f"sqlite:///{project.path}/made.sqlite", "PYTHONPATH": str(project.path)}
    for words in (["upgrade"], ["revision", "a room"]):
        project.check_output(
            project_python(project), "-m", "flask", "--app", project.package, "db", *words, env=settings
        )


def add_a_setting(project: BakedProject) -> None:
    """Add a setting with the line in the README, and a test that reads it."""
    [line] = re.findall(r"`(GREETING = .*?)`", project.read("README.md"))
    build_edit("config.py", (r"^    DOCS = .*", rf"\g<0>\n    {line}"))(project)
    (project.path / "tests" / "test_a_setting.py").write_text(
        'def test_a_setting(app):\n    assert app.config["GREETING"] == "Hello"\n', "utf-8"
    )


def write_a_test_of_an_upload(project: BakedProject) -> None:
    """Add a test of an upload. It runs first."""
    (project.path / "tests" / "test_an_upload.py").write_text(UPLOAD, "utf-8")


LISTED = r'origins=FromConfig\("FRONTEND_ORIGINS"\)'
OTHERS = 'origins=["https://app.example.com", "https://*.example.org", "http://localhost:*"]'
# one project for each set of changes. No change of a set hides the effect of another one
CHANGES: dict[str, list[Change]] = {
    "other origins, larger limits, more fields": [
        build_edit("notes.py", (LISTED, OTHERS)),
        build_edit("public.py", (r'origins=\["\*"\]', OTHERS)),
        build_edit("config.py", (r"(MAX_CONTENT_LENGTH = number\().*?,", r"\g<1>5_000_000,")),
        build_edit("auth.py", (r"^    id = .*", r'\g<0>\n    role = ma.fields.Constant("user")')),
        add_a_column,
    ],
    "no origin, smaller limits, other headers": [
        build_edit("notes.py", (LISTED, 'origins=["none"]')),
        build_edit("notes.py", (r"request_headers=\[", r'\g<0>"X-Lab", ')),
        build_edit("notes.py", (r"expose_headers=\[", r'\g<0>"X-Request-ID", ')),
        build_edit("notes.py", (r"max_age=\d+", "max_age=0")),
        build_edit("public.py", (r"^cors\(public, ", r'\g<0>methods=["GET", "POST"], ')),
        build_edit(
            "config.py",
            (r"(MAX_CONTENT_LENGTH = number\().*?,", r"\g<1>10_000,"),
            (r'("MAX_JSON_LENGTH": )[^,]*', r"\g<1>10_000"),
        ),
    ],
    "other origins of another blueprint, a route at /, no docstring, an upload": [
        build_edit("auth.py", (LISTED, OTHERS)),
        build_edit("__init__.py", (r"^    init_cors\(", r'    app.add_url_rule("/", "home", lambda: "Hello")\n\g<0>')),
        build_edit("public.py", (r'^    """Say hello.*\n', "")),
        write_a_test_of_an_upload,
        add_a_setting,
    ],
}


def project_python(project: BakedProject) -> str:
    """Return the Python of the project that this one is a copy of."""
    return (project.path / "python").read_text("utf-8")


@pytest.mark.parametrize("name", CHANGES)
def test_the_tests_pass_with(get_installed: Callable[[str], BakedProject], tmp_path: Path, name: str) -> None:
    original = get_installed("default")
    copy = BakedProject(tmp_path / original.path.name, original.files, ())
    shutil.copytree(
        original.path, copy.path, ignore=shutil.ignore_patterns(".venv", "node_modules", "instance", ".git")
    )
    (copy.path / "python").write_text(original.python, "utf-8")
    for change in CHANGES[name]:
        change(copy)
    # the packages of the copy take precedence over the installed ones
    copy.check_output(
        original.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", env={"PYTHONPATH": str(copy.path)}
    )
