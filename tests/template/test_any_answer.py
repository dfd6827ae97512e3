"""Any answer leads to a valid project that contains the answer, or to no file at all."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.exceptions import FailedHookException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from tests.baking import bake
from tests.template.reading import assert_read_back

# characters with a meaning in one of the languages of the generated files
SYNTAX = """" ' \""" \\ ` }} #} ${x} %s %( <b> </title> &amp; <!-- --> ]]> # --- : * | ~ [ ] { } \\n \\u0041""".split()
PIECES = st.sampled_from(SYNTAX) | st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)
LINES = st.lists(PIECES).map(lambda pieces: " ".join(pieces)[:200].strip())
NAMES = st.text(st.characters(categories=["L", "M", "N"], include_characters="-_.,'&()+!: "), min_size=1, max_size=80)
ANYTHING = st.text(max_size=220) | st.sampled_from(
    ["{{ x }}", "{% x %}", "{# x #}", "..", "/", "con", "class", "tests"]
)

TEXTS = ["project_name", "project_slug", "author"]
VALID_ANSWERS: dict[str, st.SearchStrategy[object]] = {
    "project_name": NAMES.map(lambda name: name.strip() or "Lab"),
    "project_slug": st.from_regex("[a-z]([a-z0-9]|-[a-z0-9]){0,24}", fullmatch=True),
    "author": LINES.filter(bool),
    "cors_strategy": st.sampled_from(["flask-cors", "interceptor", "proxy"]),
    "frontend": st.booleans(),
    "license": st.sampled_from(["MIT", "BSD-3-Clause", "Apache-2.0", "none"]),
    "ci": st.sampled_from(["GitHub", "GitLab", "none"]),
    "deploy": st.sampled_from(["Docker", "Docker and Kubernetes", "none"]),
    "chinese": st.booleans(),
}


@given(
    answers=st.fixed_dictionaries(VALID_ANSWERS),
    question=st.none() | st.sampled_from(TEXTS),
    anything=ANYTHING,
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_project_contains_the_answers_or_does_not_exist(
    answers: dict[str, Any], question: str | None, anything: str
) -> None:
    if question:
        answers = {**answers, question: anything}
    with tempfile.TemporaryDirectory() as folder:
        try:
            project = bake(Path(folder), answers | {name: build_literal(answers[name]) for name in TEXTS})
        except FailedHookException:
            assert list(Path(folder).iterdir()) == []
            return
        assert project.path.name == answers["project_slug"]
        assert_read_back(project, answers["project_name"], answers["author"])


def build_literal(text: str) -> str:
    """Return a Jinja expression that renders to a text, because cookiecutter renders given answers."""
    return '{{ "' + "".join(f"\\U{ord(c):08x}" for c in text) + '" }}'


@pytest.mark.parametrize("text", ['"', "\\", "\x00", "\udc80", "{{ 7*7 }}", "实验室", "🎓"])
def test_a_literal_renders_to_its_text(text: str) -> None:
    assert Environment().from_string(build_literal(text)).render() == text
