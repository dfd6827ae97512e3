"""Adversarial answers are refused with a sentence, or written so that they are read back unchanged.

With `no_input`, cookiecutter renders answers with Jinja. Such answers are given here as an expression that renders
to them.
"""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from cookiecutter.exceptions import FailedHookException

from scripts.installed_names import get_installed_names, get_listed_names
from tests.baking import BakedProject, bake, tool
from tests.template.reading import assert_read_back

# question, answer, words of the error message, why the answer is dangerous
REFUSED = [
    ("project_slug", "", "is empty", "an empty name is the parent folder"),
    ("project_slug", "a/b", "contains '/'", "would be a subfolder"),
    ("project_slug", "../evil", "contains '.'", "would be written outside the output folder"),
    ("project_slug", "/etc", "contains '/'", "would be written to the root of the disk"),
    ("project_slug", "..", "contains '.'", "is the parent folder"),
    ("project_slug", r"a\b", "contains '\\'", "is a subfolder on Windows"),
    ("project_slug", "C:lab", "contains 'C'", "is a drive on Windows"),
    ("project_slug", "a" * 51, "has 51 characters. Write at most 50", "a package name has to fit on a line"),
    ("project_slug", "a" * 300, "has 300 characters", "is too long for a file name"),
    ("project_slug", "3d-lab", "begins with a digit", "no Python package can begin with a digit"),
    ("project_slug", "-rf", "begins or ends with a hyphen", "would be an option of the next command"),
    ("project_slug", "lab-", "begins or ends with a hyphen", "is not a valid distribution name"),
    ("project_slug", "my--lab", "has two in a row", "is not a normalised distribution name"),
    ("project_slug", "MyLab", "contains 'M'", "differs from mylab on Linux only"),
    ("project_slug", "my_lab", "contains '_'", "would be renamed silently"),
    ("project_slug", "my lab", "contains ' '", "would be two words for the shell"),
    ("project_slug", "labör", "contains 'ö'", "is typed differently on each keyboard"),
    ("project_slug", "实验室", "contains '实'", "is not a usable package name"),
    ("project_slug", "la\nb", "contains '\\n'", "would add a line to each file"),
    ("project_slug", "\x00", "contains '\\x00'", "is not a file name on any system"),
    ("project_slug", "a\udc80", "contains '\\udc80'", "cannot be written to any file"),
    ("project_slug", '"; open("x","w"); "', "contains '\"'", "could run as code in a hook"),
    ("project_slug", "$(touch x)", "contains '$'", "could run as code in a shell"),
    ("project_slug", "class", "keyword", "`import class` is a syntax error"),
    ("project_slug", "match", "keyword", "soft keywords confuse tools and people"),
    ("project_slug", "json", "standard library", "would hide the module that Flask itself imports"),
    ("project_slug", "this", "standard library", "would hide a module"),
    ("project_slug", "compression", "standard library", "would hide a module of Python 3.14"),
    ("project_slug", "sitecustomize", "runs at each start", "Python would import the project at each start"),
    ("project_slug", "usercustomize", "runs at each start", "Python would import the project at each start"),
    ("project_slug", "flask", "package that the project installs", "would hide Flask"),
    ("project_slug", "flask-cors", "package that the project installs", "would hide flask_cors"),
    ("project_slug", "sqlalchemy", "package that the project installs", "would hide SQLAlchemy"),
    ("project_slug", "dotenv", "package that the project installs", "would hide what reads .env"),
    ("project_slug", "argon2-cffi-bindings", "package that the project installs", "would depend on itself"),
    ("project_slug", "psycopg-binary", "package that the project installs", "would depend on itself"),
    ("project_slug", "crossorigin", "file or folder in the project", "is the CORS package"),
    ("project_slug", "wsgi", "file or folder in the project", "is the name of wsgi.py"),
    ("project_slug", "test", "file or folder in the project", "would hide a module, and pytest collects it"),
    ("project_slug", "tests", "file or folder in the project", "is where the tests are"),
    ("project_slug", "test-notes", "file or folder in the project", "pytest imports its test module instead"),
    ("project_slug", "conftest", "file or folder in the project", "tests import the module beside them instead"),
    ("project_slug", "dev", "file or folder in the project", "is the name of dev.py"),
    ("project_slug", "license", "file or folder in the project", "is LICENSE on macOS and Windows"),
    ("project_slug", "frontend", "file or folder in the project", "is the folder of the front end"),
    ("project_slug", "con", "device on Windows", "cannot be a folder on Windows"),
    ("project_slug", "com1", "device on Windows", "cannot be a folder on Windows"),
    ("project_name", "", "is empty", "a title has to say something"),
    ("project_name", "   ", "is empty", "a title has to say something"),
    ("project_name", " Lab", "begins or ends with a space", "Markdown would drop the space"),
    ("project_name", "a" * 81, "has 81 characters. Write at most 80", "a title has to fit on a line"),
    ("project_name", "Lab\nimport os", "contains '\\n'", "would be a separate line of code"),
    ("project_name", 'Lab"; import os; "', "contains '\"'", "ends a string in Python, TypeScript, TOML and HTML"),
    ("project_name", "Lab\\", "contains '\\'", "escapes the end of a string"),
    ("project_name", "<script>alert(1)</script>", "contains '<'", "is a script in HTML"),
    ("project_name", "`lab`", "contains '`'", "is code in Markdown and in TypeScript"),
    ("project_name", "${lab}", "contains '$'", "is code in TypeScript and in a shell"),
    ("project_name", "Lab \u202eIPA", "contains '\\u202e'", "shows the rest of the line backwards"),
    ("project_name", "{{ '{{ lab }}' }}", "contains '{'", "is an expression of a template"),
    ("author", "", "is empty", "a package without author cannot be built"),
    ("author", "one\ntwo", "control character '\\n'", "would add a line to each file"),
    ("author", "one\x00two", "control character '\\x00'", "is invalid in TOML, HTML and Python"),
    ("author", "one\x1b[31mtwo", "control character '\\x1b'", "is an escape sequence of terminals"),
    ("author", "one\u2028two", "control character '\\u2028'", "is a new line for some tools only"),
    ("author", "one\u202etwo", "control character '\\u202e'", "shows the rest of the line backwards"),
    ("author", "one\udcfftwo", "control character '\\udcff'", "cannot be written to any file"),
    ("author", "a" * 201, "has 201 characters. Write at most 200", "is too long for a name"),
    ("author", "one ", "begins or ends with a space", "Markdown would drop the space"),
    ("author", "{{ '{{ 7*7 }}' }}", "contains '{{'", "would be evaluated by another template"),
    ("author", "{{ '{% raw %}' }}", "contains '{%'", "would be a statement in another template"),
    ("author", "{{ '{# x #}' }}", "contains '{#'", "would be a comment in another template"),
]

# question, answer, why it looks dangerous
ACCEPTED = [
    ("project_slug", "app", "is a common package name in tutorials"),
    ("project_slug", "a", "is the shortest name"),
    ("project_slug", "a" * 50, "is the longest name"),
    ("project_name", "a" * 80, "is the longest title"),
    ("project_name", "我的实验室", "has no letter of the Latin alphabet: the slug is written in pinyin"),
    ("project_name", "Ärzte & Löwen (2.0), Ada's: go!", "has punctuation with a meaning in HTML and strings"),
    ("project_name", "snake_case _and_ more + more", "would be emphasised in Markdown"),
    ("project_name", "हिन्दी प्रयोगशाला", "has letters of several code points"),
    ("author", "say \"hello\" and 'bye'", "ends strings"),
    ("author", "C:\\new\\table \\ \\", "has backslashes, also at the end"),
    ("author", '"""', "ends docstrings"),
    ("author", "<b>bold</b> &amp; <!-- no --> </title></script>", "is HTML"),
    ("author", "*a* _b_ `c` [d](e) ![f](g) ~~h~~ | i | <j>", "is Markdown"),
    ("author", "# no heading", "begins like a Markdown heading"),
    ("author", "- no list", "begins like a Markdown list"),
    ("author", "1. no list", "begins like a numbered Markdown list"),
    ("author", "> no quotation", "begins like a Markdown quotation"),
    ("author", "{ } } $x ${y} %s %(z)s {0} #{a}", "has the place holders of many languages"),
    ("author", "课程项目:给学生的接口 🎓", "is Chinese with an emoji"),
    ("author", "é, and é in two characters", "has two spellings of one letter"),
    ("author", "x" * 200, "is the longest name"),
    ("author", 'Ada "the first" Lovelace \\ O\'Neil <ada@example.org>', "has an address and quotes"),
    ("author", "王小明", "is in Chinese"),
]


def ids(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"{row[0]}-{ascii(row[1])[1:31]}-{row[-1]}" for row in rows]


@pytest.mark.parametrize(("question", "answer", "sentence", "reason"), REFUSED, ids=ids(REFUSED))
def test_a_refused_answer_gets_a_sentence_and_leaves_no_file(
    question: str, answer: str, sentence: str, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "folder" / "out"
    with pytest.raises(FailedHookException):
        bake(output, {question: answer})
    said = capfd.readouterr().err
    [line] = [line for line in said.splitlines() if line.startswith(question)]
    assert sentence in line
    assert line.endswith(".")
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "folder", output], reason


def test_all_invalid_answers_are_reported_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    answers = {"project_name": "<b>", "project_slug": "class", "author": "x" * 999}
    with pytest.raises(FailedHookException):
        bake(tmp_path / "out", answers)
    assert [line.partition(" ")[0] for line in capfd.readouterr().err.splitlines()] == [*answers, "Run"]


def test_the_command_in_the_error_message_keeps_the_other_answers(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = {"project_slug": "class", "author": "Ada O'Neil", "frontend": False, "license": "none", "deploy": "none"}
    with pytest.raises(FailedHookException):
        bake(tmp_path / "out", answers)
    _, _, command = capfd.readouterr().err.splitlines()[-1].partition("as defaults: ")
    _, *words = shlex.split(command)
    options = ["--no-input", "--output-dir", str(tmp_path / "again")]
    subprocess.run([tool("cookiecutter"), *options, *words, "project_slug=good"], check=True)
    project = BakedProject(tmp_path / "again" / "good", (), ())
    assert "Ada O'Neil" in project.read("pyproject.toml")
    assert not {"frontend", "LICENSE", "deploy"} & {path.name for path in project.path.iterdir()}


def test_a_refused_answer_does_not_change_an_existing_folder(tmp_path: Path) -> None:
    victim = tmp_path / "evil"
    victim.mkdir()
    (victim / "thesis.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(FailedHookException):
        bake(tmp_path / "out", {"project_slug": "../evil"})
    assert (victim / "thesis.txt").read_text(encoding="utf-8") == "three years of work"


@pytest.mark.parametrize(("question", "answer", "reason"), ACCEPTED, ids=ids(ACCEPTED))
def test_an_accepted_answer_is_read_back_unchanged(question: str, answer: str, reason: str, tmp_path: Path) -> None:
    project = bake(tmp_path / "out", {question: answer})
    given = {"project_name": "My Lab API", "author": "Ada Lovelace", question: answer}
    assert_read_back(project, given["project_name"], given["author"])
    if question == "project_slug":
        assert project.path.name == answer, reason


# valid slugs that some version of YAML does not read as a string
YAML_WORDS = "null true false yes no on off y n".split()


@pytest.mark.parametrize("word", YAML_WORDS)
def test_a_word_that_yaml_reads_as_a_value_is_refused(
    word: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert word in "yn" or yaml.safe_load(word) != word
    with pytest.raises(FailedHookException):
        bake(tmp_path, {"project_slug": word})
    assert "a word that YAML reads as a value" in capfd.readouterr().err


def test_every_name_that_a_project_installs_is_refused(with_extras: BakedProject) -> None:
    names = get_installed_names(with_extras)
    assert {"argon2-cffi-bindings", "psycopg-binary", "hatchling", "mypyc", "werkzeug"} <= names
    assert names - get_listed_names() == set(), "run uv run python -m scripts.installed_names"


def test_no_package_can_be_named_like_a_file_or_module_beside_it(
    get_baked: Callable[[str], BakedProject], tmp_path: Path
) -> None:
    project = get_baked("default")
    beside = {name.partition("/")[0] for name in project.files} | {"tests.py"}
    beside |= {name.partition("/")[2] for name in project.files if name.startswith("tests/")}
    modules = {name.removesuffix(".py") for name in beside if not name.startswith((".", project.package))}
    names = {name.lower().replace("_", "-") for name in modules if name and "." not in name}
    assert {"license", "dev", "frontend", "crossorigin", "wsgi", "conftest"} <= names
    for name in sorted(names):
        with pytest.raises(FailedHookException):
            bake(tmp_path, {"project_slug": name})
