"""The strategies are interchangeable: one conformance suite holds for each, and fails for each wrong version.

`uv run python -m scripts.conformance` runs it in each, and counts the cases; here each project runs it with its own
tests (`test_generated.py`).
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import conformance
from tests.baking import COMBINATIONS, BakedProject

STRATEGIES = {"flask-cors": "default", "interceptor": "interceptor-without-front-end"}
SUITE = ["tests/test_cors_conformance.py", "tests/cors_cases.py", "tests/test_cors_rules.py"]

# what people get wrong: a file of the package's folder cors, what stands there, and the wrong version
MUTATIONS: dict[str, tuple[str, str, str]] = {
    "Vary only when allowed": (
        "engine.py",
        "if not policy.any_origin:",
        'if not policy.any_origin and policy.allow_origin(request.headers.get("Origin", "")):',
    ),
    "the origin reflected": ("policy.py", "origin in self.exact or self.pattern.match(origin)", "origin"),
    "an unanchored pattern": ("policy.py", r'r")\Z"', '")"'),
    "the origin compared without case": ("policy.py", r'+ r")\Z")', r'+ r")\Z", re.IGNORECASE)'),
    "credentials under *": ("policy.py", "policy.credentials else", "policy.credentials or policy.any_origin else"),
    "no headers on 404": (
        "engine.py",
        "policies.find(request.path)",
        "policies.find(request.path) if request.url_rule else None",
    ),
    "preflights after authentication": ("preflight.py", 'environ["REQUEST_METHOD"] != "OPTIONS"', "True"),
    "max-age 0 dropped": (
        "policy.py",
        '"" if policy.max_age is None else str(policy.max_age)',
        'str(policy.max_age or "")',
    ),
    "a laxer outer policy wins": ("prefixes.py", "depth + 1 > best[0]", "best[1] is None"),
    "exposed headers on preflights": (
        "policy.py",
        '"Access-Control-Max-Age":',
        '"Access-Control-Expose-Headers": ", ".join(policy.expose_headers), "Access-Control-Max-Age":',
    ),
}


@pytest.fixture(scope="session", params=STRATEGIES)
def strategy(request: pytest.FixtureRequest, installed: Callable[[str], BakedProject]) -> BakedProject:
    """Return a project of each strategy in turn, with its packages."""
    return installed(STRATEGIES[request.param])


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_the_conformance_suite_fails_for(strategy: BakedProject, tmp_path: Path, mutation: str) -> None:
    name, right, wrong = MUTATIONS[mutation]
    shutil.copytree(strategy.path / strategy.package, tmp_path / strategy.package)
    shutil.copytree(strategy.path / "tests", tmp_path / "tests")
    file = tmp_path / strategy.package / "cors" / name
    text = file.read_text("utf-8")
    assert text.count(right) == 1, f"{name} has changed: mend the table"
    file.write_text(text.replace(right, wrong), "utf-8")
    copy = BakedProject(tmp_path, (), ())
    run = copy.run(strategy.python, "-m", "pytest", "-q", "-x", SUITE[0], env={"PYTHONPATH": str(tmp_path)})
    assert run.returncode == 1, run.stdout
    assert re.search(r"\d+ failed", run.stdout)


def test_each_strategy_runs_the_same_suite(installed: Callable[[str], BakedProject]) -> None:
    one, other = (installed(combination) for combination in STRATEGIES.values())
    assert [one.read(name) for name in SUITE] == [other.read(name) for name in SUITE]
    listed = [p.succeeds(p.python, "-m", "pytest", "-q", "--collect-only", *SUITE[::2]) for p in (one, other)]
    cases = [re.findall(r"(?m)^tests/\S+::.*$", text) for text in listed]
    assert cases[0] == cases[1]
    assert len(cases[0]) >= 400


def test_the_command_counts_what_the_combinations_run(baked: Callable[[str], BakedProject]) -> None:
    usual: dict[str, object] = {"cors_strategy": "flask-cors", "frontend": True}
    combinations = [{name: (usual | answers)[name] for name in usual} for answers in COMBINATIONS.values()]
    assert [kind for kind in conformance.kinds() if kind not in combinations] == []
    assert conformance.suite(baked("default")) == SUITE[::2]
    assert conformance.suite(baked("proxy")) == ["tests/test_cors_closed.py", "tests/test_cors_rules.py"]


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("456 passed in 2.10s", (456, 0)),
        ("3 failed, 453 passed, 1 warning in 2.10s", (453, 3)),
        ("450 passed, 2 errors in 2.10s", (450, 2)),
        ("no tests ran in 0.01s", (0, 0)),
    ],
)
def test_the_command_counts_cases(said: str, counted: tuple[int, int]) -> None:
    assert conformance.count(said) == counted


# what only one strategy has; every project refuses a second layer of CORS, and therefore knows the library by name
OWN = {
    "default": r"(?<!cookiecutter-)flask[-_]cors",
    "interceptor": r"\binterceptor\b",
    "proxy": r"reaches its API through a proxy|pages reach this API through its proxy",
}
REFUSES_A_SECOND_LAYER = {"setup.py", "test_cors_rules.py", "blocked-by-cors.md"}


@pytest.mark.parametrize("combination", OWN)
def test_a_project_has_nothing_of_another_strategy(baked: Callable[[str], BakedProject], combination: str) -> None:
    project = baked(combination)
    mine = [name for name in project.files if Path(name).name not in REFUSES_A_SECOND_LAYER]
    texts = {name: project.read(name) for name in mine if not name.endswith((".png", ".ttf", "package-lock.json"))}
    for other, pattern in OWN.items():
        found = [name for name, text in texts.items() if re.search(pattern, text)]
        assert bool(found) is (other == combination), (other, found)


def test_the_proxy_writes_no_cors_header(baked: Callable[[str], BakedProject]) -> None:
    project = baked("proxy")
    for name in ("engine.py", "preflight.py"):
        assert "Access-Control-Allow" not in project.read(f"{project.package}/cors/{name}")


def test_two_files_make_a_project_without_cors_one_with_it(
    baked: Callable[[str], BakedProject], installed: Callable[[str], BakedProject], tmp_path: Path
) -> None:
    closed, interceptor = installed("proxy-without-front-end"), baked("interceptor-without-front-end")
    copy = BakedProject(tmp_path / closed.path.name, (), ())
    shutil.copytree(closed.path, copy.path, ignore=shutil.ignore_patterns(".venv"))
    asked = ["GET", "/api/auth/me", "--origin", "http://localhost:5173", "--credentials"]
    command = [closed.python, "-m", "flask", "--app", closed.package, "cors", "explain", *asked]
    settings = {"PYTHONPATH": str(copy.path), "FRONTEND_ORIGINS": "http://localhost:5173"}
    assert "One origin or two" in copy.run(*command, env=settings).stdout
    for name in ("engine.py", "preflight.py"):
        shutil.copy(interceptor.path / interceptor.package / "cors" / name, copy.path / copy.package / "cors" / name)
    assert "ALLOWED: the page gets the answer 401" in copy.succeeds(*command, env=settings)


@pytest.mark.parametrize("combination", OWN)
def test_the_engine_is_read_in_a_minute(baked: Callable[[str], BakedProject], combination: str) -> None:
    project = baked(combination)
    assert project.read(f"{project.package}/cors/engine.py").count("\n") <= 60
