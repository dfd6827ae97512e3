"""Migrations keep the data on SQLite and PostgreSQL, including those that a student writes."""

import shutil
from pathlib import Path

import pytest

from tests.baking import CHECKOUT, BakedProject
from tests.operations.sites import run_concurrently

# changes of the models. SQLite must replace tables that other tables refer to
CHANGES = {
    "username: Mapped[str] = mapped_column(String(64))": "username: Mapped[str] = mapped_column(String(80))",
    "mapped_column(String(200))": "mapped_column(String(300), index=True)",
    "version: Mapped[int] = mapped_column()": "version: Mapped[int] = mapped_column()\n"
    "    colour: Mapped[str | None] = mapped_column(String(20), unique=True)",
}


def build_database_url(database: str, folder: Path, request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database."""
    if database == "sqlite":
        return f"sqlite:///{folder}/lab.sqlite"
    return str(request.getfixturevalue("postgresql").database())


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_six_concurrent_upgrades_of_an_empty_database_succeed(
    database: str, with_extras: BakedProject, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    settings = {"DATABASE_URL": build_database_url(database, tmp_path, request)}
    run_concurrently(
        6, lambda: with_extras.check_output(with_extras.python, "-m", "flask", "db", "upgrade", env=settings)
    )
    said = with_extras.check_output(with_extras.python, "-m", "flask", "db", "check", env=settings)
    assert "No changes detected" in said


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_upgrades_and_downgrades_keep_the_data(
    database: str, with_extras: BakedProject, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    copy = BakedProject(tmp_path / with_extras.path.name, (), ())
    shutil.copytree(with_extras.path, copy.path, ignore=shutil.ignore_patterns(".venv", ".git"))
    models = copy.path / copy.package / "models.py"
    text = models.read_text("utf-8")
    for old, new in CHANGES.items():
        assert text.count(old) == 1, f"models.py has changed. Update CHANGES ({old})"
        text = text.replace(old, new)
    models.write_text(text, "utf-8")
    settings = {"DATABASE_URL": build_database_url(database, tmp_path, request), "PYTHONPATH": str(copy.path)}
    copy.check_output(
        with_extras.python, str(CHECKOUT / "tests" / "operations" / "migrating.py"), copy.package, env=settings
    )
