"""What is measured: generated projects of each strategy, and what people would take instead."""

import os
import secrets
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.cases import CASES, ORIGIN, USERS
from benchmarks.database import fill
from tests.baking import CHECKOUT, BakedProject, bake

WORKERS = os.cpu_count() or 1
THREADS = 4  # of each worker, as in a generated project
STRATEGIES = ("flask-cors", "interceptor", "proxy")
SETTINGS = {
    "APP_ENV": "production",
    "SECRET_KEY": secrets.token_hex(32),
    "LOGIN_LIMIT": "1000000 per minute",  # they are counted, and never reached
    "LOGIN_ACCOUNT_LIMIT": "1000000 per minute",
    "PYTHONPATH": str(CHECKOUT),
}
GENERATED = {f"generated, {strategy}": strategy for strategy in STRATEGIES}
FASTAPI = "FastAPI, uvicorn"
FLASK = "CORS(app), gunicorn"
BARE = "bare function, Granian"
GUNICORN = ["gunicorn", "--workers", str(WORKERS), "--threads", str(THREADS), "--bind", "127.0.0.1:{port}"]
GRANIAN = ["granian", "--interface", "wsgi", "--workers", str(WORKERS), "--port", "{port}"]
GRANIAN += ["--factory", "--blocking-threads", str(THREADS), "--log-level", "warning"]
# with its line in the log for each request, as a generated project has one
UVICORN = ["uvicorn", "--workers", str(WORKERS), "--port", "{port}"]
SAME_CODE = ("health", "login", "unchanged (304)")  # under every strategy
SERVED = {
    "flask-cors": tuple(CASES),
    "interceptor": tuple(name for name in CASES if name not in SAME_CODE),
    "proxy": tuple(name for name in CASES if name not in ("preflight", *SAME_CODE)),
}
FEW = ("preflight", "list of 20")  # where the way of CORS makes a difference


@dataclass(frozen=True, eq=False)
class Target:
    """An application with its server.

    Args:
        name: what the tables call it.
        kind: `wsgi` or `asgi`.
        application: a module, and an expression about it that gives the application.
        command: what starts its server, on the port `{port}`.
        python: the Python that has its libraries.
        folder: where it runs.
        env: its settings; DATABASE_URL is a database of its own.
        cases: the names of the requests that are timed when it serves.
        cors: whether it sends CORS headers.
    """

    name: str
    kind: str
    application: str
    command: list[str]
    python: str = sys.executable
    folder: Path = CHECKOUT
    env: Mapping[str, str] = field(default_factory=dict)
    cases: tuple[str, ...] = tuple(CASES)
    cors: bool = True


def projects(folder: Path) -> dict[str, BakedProject]:
    """Generate and install a project of each strategy."""
    made = {}
    for strategy in STRATEGIES:
        made[strategy] = bake(folder / strategy, {"cors_strategy": strategy, "frontend": False})
        made[strategy].succeeds("uv", "sync", "--quiet")
    return made


def generated(name: str, project: BakedProject, strategy: str) -> Target:
    """Return a generated project as `python -m my_lab_api` runs it."""
    cors = strategy != "proxy"
    return Target(
        name,
        "wsgi",
        f"{project.package}:create_app()",
        [project.python, "-m", project.package],
        project.python,
        project.path,
        SETTINGS | {"FRONTEND_ORIGINS": ORIGIN if cors else "none"},
        SERVED[strategy],
        cors,
    )


def peers() -> list[Target]:
    """Return the applications of this folder on their servers."""
    flask, fastapi = "benchmarks.apps.plain_flask", "benchmarks.apps.fastapi_app"
    app, blueprint = "on_app()", "on_blueprint()"
    bin_ = Path(sys.executable).parent
    gunicorn, granian, uvicorn = ([str(bin_ / words[0]), *words[1:]] for words in (GUNICORN, GRANIAN, UVICORN))
    few = (*FEW, "one by id", "create")
    return [
        Target(FASTAPI, "asgi", f"{fastapi}:app", [*uvicorn, f"{fastapi}:app"]),
        Target(FLASK, "wsgi", f"{flask}:{app}", [*gunicorn, f"{flask}:{app}"]),
        Target(
            "CORS(blueprint), gunicorn", "wsgi", f"{flask}:{blueprint}", [*gunicorn, f"{flask}:{blueprint}"], cases=FEW
        ),
        Target("CORS(app), Granian", "wsgi", f"{flask}:{app}", [*granian, f"{flask}:on_app"], cases=few),
        Target(
            "CORS(blueprint), Granian", "wsgi", f"{flask}:{blueprint}", [*granian, f"{flask}:on_blueprint"], cases=FEW
        ),
        Target(
            BARE,
            "wsgi",
            "benchmarks.apps.bare_wsgi:on_granian()",
            [*granian, "benchmarks.apps.bare_wsgi:on_granian"],
            cases=FEW[:1],
        ),
    ]


def with_databases(targets: list[Target], project: BakedProject, folder: Path) -> list[Target]:
    """Give each target a database of its own, all with the same rows."""
    first = folder / "first.sqlite"
    fill(project, first, SETTINGS | {"FRONTEND_ORIGINS": ORIGIN}, USERS)
    return [with_database(target, first, folder / f"{number}.sqlite") for number, target in enumerate(targets)]


def with_database(target: Target, original: Path, copy: Path) -> Target:
    """Give a target a copy of a database, or the database itself."""
    if copy != original:
        shutil.copyfile(original, copy)
    return replace(target, env={**SETTINGS, **target.env, "DATABASE_URL": f"sqlite:///{copy}"})
