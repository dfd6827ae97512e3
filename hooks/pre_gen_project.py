"""Check the answers. Print one sentence for each that cannot become a working project."""

import json
import keyword
import re
import shlex
import sys
import unicodedata
from collections.abc import Iterator

# JSON cannot end the raw string around it: JSON escapes each quote and pairs each backslash
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# packages of a project, written by scripts/installed_names.py: a project of that name would hide the package
INSTALLED = set(
    """alembic apispec argon2 argon2-cffi argon2-cffi-bindings ast-serialize async-timeout blinker cffi click colorama
    coverage deprecated dotenv flask flask-alembic flask-cors flask-limiter flask-smorest flask-swagger-ui
    granian hatchling iniconfig itsdangerous jinja2 librt limits mako markupsafe marshmallow mypy
    mypy-extensions mypyc ordered-set packaging pathspec pip pkg-resources pluggy psycopg psycopg-binary
    publicsuffixlist py pycparser pygments pytest pytest-cov python-dotenv redis ruff setuptools sqlalchemy
    tomlkit trove-classifiers typing-extensions tzdata uv webargs werkzeug wheel wrapt wrapt-stubs""".split()
)
# files and folders of the project, or of its tools
PROJECT_NAMES = set(
    """build conftest crossorigin deploy dev dist docs frontend instance license node-modules src test tests
    venv wsgi""".split()
)
# modules of newer Python versions, which an older one does not list
NEWER_MODULES = {"annotationlib", "compression", "profiling"}
RUN_AT_EACH_START = {"sitecustomize", "usercustomize"}
YAML_VALUES = {"false", "n", "no", "null", "off", "on", "true", "y", "yes"}

MAX_LENGTHS = {"project_name": 80, "project_slug": 50, "author": 200}
PUNCTUATION = "-_.,'&()+!:"
JINJA = ("{" + "{", "{" + "%", "{" + "#")


def main() -> None:
    """Print all problems and exit with 1 if there is one."""
    problems = [*check_name(), *check_slug(), *check_author()]
    for problem in [*problems, *([build_retry(problems)] if problems else [])]:
        print(problem, file=sys.stderr)
    sys.stderr.flush()
    sys.exit(1 if problems else 0)


def build_retry(problems: list[str]) -> str:
    """Return the command that asks again, with the valid answers as defaults."""
    refused = {problem.partition(" ")[0] for problem in problems}
    refused |= {"project_slug"} if "project_name" in refused else set()  # its default comes from it
    valid = {name: value for name, value in ANSWERS.items() if not name.startswith("_") and name not in refused}
    words = ["cookiecutter", ANSWERS["_template"], *(f"{name}={value}" for name, value in valid.items())]
    return f"Run this command to answer again, with your other answers as defaults: {shlex.join(words)}"


def check_name() -> Iterator[str]:
    name = ANSWERS["project_name"]
    invalid = [c for c in name if c not in PUNCTUATION + " " and unicodedata.category(c)[0] not in "LMN"]
    if not name.strip():
        yield "project_name is empty. Write a name such as 'My Lab API'."
    elif invalid:
        start = f"project_name {quote(name)} contains {quote(invalid[0])}"
        yield f"{start}. Use letters, digits, spaces and any of {' '.join(PUNCTUATION)} instead."
    elif name != name.strip():
        yield f"project_name {quote(name)} begins or ends with a space. Remove it."
    yield from check_length("project_name")


def check_slug() -> Iterator[str]:
    slug = ANSWERS["project_slug"]
    start = f"project_slug {quote(slug)}"
    module = slug.replace("-", "_")
    if not slug:
        yield "project_slug is empty. Write a short name such as 'my-lab-api'."
    elif not re.fullmatch("[a-z0-9-]+", slug):
        invalid = re.sub("[a-z0-9-]", "", slug)
        yield f"{start} contains {quote(invalid[0])}. Use lower-case a-z, digits and hyphens, as in 'my-lab-api'."
    elif slug[0].isdigit():
        yield f"{start} begins with a digit, but no Python package can. Begin with a letter, as in 'lab-{slug[:40]}'."
    elif slug.strip("-") != slug or "--" in slug:
        yield f"{start} begins or ends with a hyphen, or has two in a row. Write one between words, as in 'my-lab-api'."
    elif slug in ANSWERS["_device_names"]:
        yield f"{start} is the name of a device on Windows. Write a longer name, such as '{slug}-api'."
    elif keyword.iskeyword(module) or keyword.issoftkeyword(module):
        yield f"{start} is a keyword of Python. Write another name, such as '{slug}-api'."
    elif module in sys.stdlib_module_names or module in NEWER_MODULES:
        yield f"{start} is a module of Python's standard library. Write another name, such as 'my-{slug}'."
    elif slug in RUN_AT_EACH_START:
        yield f"{start} is a module that Python runs at each start. Write another name, such as 'my-{slug}'."
    elif slug in YAML_VALUES:
        yield f"{start} is a word that YAML reads as a value, not as text. Write a longer name, such as '{slug}-api'."
    elif slug in INSTALLED:
        yield f"{start} is the name of a package that the project installs. Write another name, such as 'my-{slug}'."
    elif slug in PROJECT_NAMES or slug.startswith("test-"):
        yield f"{start} is the name of a file or folder in the project. Write another name, such as 'my-{slug}'."
    yield from check_length("project_slug")


def check_author() -> Iterator[str]:
    author = ANSWERS["author"]
    start = f"author {quote(author)}"
    unprintable = [c for c in author if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in BIDI]
    jinja = [opening for opening in JINJA if opening in author]
    if not author:
        yield "author is empty. Write the name of a person or a group."
    elif unprintable:
        yield f"{start} contains the control character {unprintable[0]!a}. Write one line of text."
    elif jinja:
        yield f"{start} contains {quote(jinja[0])}, which is template code. Remove it."
    elif author != author.strip():
        yield f"{start} begins or ends with a space. Remove it."
    yield from check_length("author")


def check_length(question: str) -> Iterator[str]:
    length, maximum = len(ANSWERS[question]), MAX_LENGTHS[question]
    if length > maximum:
        yield f"{question} {quote(ANSWERS[question])} has {length} characters. Write at most {maximum}."


def quote(text: str) -> str:
    """Quote an answer on one line, with at most 60 characters."""
    visible = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return f"'{visible if len(visible) <= 60 else visible[:57] + '...'}'"


# these characters reverse the text around them, so a line of code looks different from what it does
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

main()
