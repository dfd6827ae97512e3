"""Refuse answers that could not become a working project: one sentence each, all at once."""

import json
import keyword
import re
import shlex
import sys
import unicodedata
from collections.abc import Iterator

# JSON inside a raw string cannot end it: JSON escapes each quote, and pairs each backslash
ANSWERS = json.loads(r"""{{ cookiecutter | tojson }}""")

# what a project installs, written by scripts/installed_names.py: a package of that name would hide it, or be it
INSTALLED = set(
    """alembic apispec argon2 argon2-cffi argon2-cffi-bindings ast-serialize async-timeout blinker cffi click colorama
    coverage deprecated dotenv flask flask-alembic flask-cors flask-limiter flask-smorest flask-swagger-ui
    granian hatchling iniconfig itsdangerous jinja2 librt limits mako markupsafe marshmallow mypy
    mypy-extensions mypyc ordered-set packaging pathspec pip pkg-resources pluggy psycopg psycopg-binary
    publicsuffixlist py pycparser pygments pytest pytest-cov python-dotenv redis ruff setuptools sqlalchemy
    tomlkit trove-classifiers typing-extensions tzdata uv webargs werkzeug wheel wrapt wrapt-stubs""".split()
)
# files and folders of the project itself, or of the tools that fill it
OURS = set(
    """build conftest crossorigin deploy dev dist docs frontend instance license node-modules src test tests
    venv wsgi""".split()
)
# modules of newer versions of Python, which an older one does not list
NEWER_MODULES = {"annotationlib", "compression", "profiling"}
RUN_AT_EACH_START = {"sitecustomize", "usercustomize"}
YAML_VALUES = {"false", "n", "no", "null", "off", "on", "true", "y", "yes"}

LONGEST = {"project_name": 80, "project_slug": 50, "author": 200}
PUNCTUATION = "-_.,'&()+!:"
JINJA = ("{" + "{", "{" + "%", "{" + "#")


def main() -> None:
    """Print every problem and end with 1, or say nothing."""
    problems = [*name_problems(), *slug_problems(), *author_problems()]
    for problem in [*problems, *([repeat(problems)] if problems else [])]:
        print(problem, file=sys.stderr)
    sys.stderr.flush()
    sys.exit(1 if problems else 0)


def repeat(problems: list[str]) -> str:
    """Return the command that asks again, with the answers that were good as defaults."""
    refused = {problem.partition(" ")[0] for problem in problems}
    refused |= {"project_slug"} if "project_name" in refused else set()  # written from it
    good = {name: value for name, value in ANSWERS.items() if not name.startswith("_") and name not in refused}
    words = ["cookiecutter", ANSWERS["_template"], *(f"{name}={value}" for name, value in good.items())]
    return f"Answer again, with your other answers as defaults: {shlex.join(words)}"


def name_problems() -> Iterator[str]:
    name = ANSWERS["project_name"]
    strange = [c for c in name if c not in PUNCTUATION + " " and unicodedata.category(c)[0] not in "LMN"]
    if not name.strip():
        yield "project_name is empty: write a name such as 'My Lab API'."
    elif strange:
        start = f"project_name {shown(name)} contains {shown(strange[0])}"
        yield f"{start}: use letters, digits, spaces and any of {' '.join(PUNCTUATION)} instead."
    elif name != name.strip():
        yield f"project_name {shown(name)} begins or ends with a space: leave it out."
    yield from length_problems("project_name")


def slug_problems() -> Iterator[str]:
    slug = ANSWERS["project_slug"]
    start = f"project_slug {shown(slug)}"
    module = slug.replace("-", "_")
    if not slug:
        yield "project_slug is empty: write a short name such as 'my-lab-api'."
    elif not re.fullmatch("[a-z0-9-]+", slug):
        strange = re.sub("[a-z0-9-]", "", slug)
        yield f"{start} contains {shown(strange[0])}: use a-z in lower case, digits and hyphens, as in 'my-lab-api'."
    elif slug[0].isdigit():
        yield f"{start} begins with a digit, as no Python package can: begin with a letter, as in 'lab-{slug[:40]}'."
    elif slug.strip("-") != slug or "--" in slug:
        yield f"{start} begins or ends with a hyphen, or has two in a row: write one between words, as in 'my-lab-api'."
    elif slug in ANSWERS["_device_names"]:
        yield f"{start} is the name of a device on Windows: write a longer name, such as '{slug}-api'."
    elif keyword.iskeyword(module) or keyword.issoftkeyword(module):
        yield f"{start} is a keyword of Python: write another name, such as '{slug}-api'."
    elif module in sys.stdlib_module_names or module in NEWER_MODULES:
        yield f"{start} is a module of Python's standard library: write another name, such as 'my-{slug}'."
    elif slug in RUN_AT_EACH_START:
        yield f"{start} is a module that Python runs at each start: write another name, such as 'my-{slug}'."
    elif slug in YAML_VALUES:
        yield f"{start} is a word that YAML reads as a value, not as a text: write a longer name, such as '{slug}-api'."
    elif slug in INSTALLED:
        yield f"{start} is the name of a package that the project installs: write another name, such as 'my-{slug}'."
    elif slug in OURS or slug.startswith("test-"):
        yield f"{start} is the name of a file or folder in the project: write another name, such as 'my-{slug}'."
    yield from length_problems("project_slug")


def author_problems() -> Iterator[str]:
    author = ANSWERS["author"]
    start = f"author {shown(author)}"
    unprintable = [c for c in author if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in BIDI]
    jinja = [opening for opening in JINJA if opening in author]
    if not author:
        yield "author is empty: write the name of a person or a group."
    elif unprintable:
        yield f"{start} contains the control character {unprintable[0]!a}: write one line of text."
    elif jinja:
        yield f"{start} contains {shown(jinja[0])}, which templates give a meaning: leave it out."
    elif author != author.strip():
        yield f"{start} begins or ends with a space: leave it out."
    yield from length_problems("author")


def length_problems(question: str) -> Iterator[str]:
    length, longest = len(ANSWERS[question]), LONGEST[question]
    if length > longest:
        yield f"{question} {shown(ANSWERS[question])} has {length} characters: write at most {longest}."


def shown(text: str) -> str:
    """Quote an answer for a sentence: on one line, not too long, whatever is in it."""
    visible = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return f"'{visible if len(visible) <= 60 else visible[:57] + '...'}'"


# overrides and isolates turn the text around them: a line of code then reads other than it runs
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

main()
