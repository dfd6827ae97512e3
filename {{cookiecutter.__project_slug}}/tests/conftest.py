"""Fixtures: settings, an application with its own database, and clients."""

import pytest
from argon2 import PasswordHasher

from {{ cookiecutter.__package }} import create_app, users
from {{ cookiecutter.__package }}.extensions import db, limiter
from {{ cookiecutter.__package }}.models import Model

PASSWORD = "correct horse battery"
DEVELOPMENT = {
    "APP_ENV": "development",
    "SECRET_KEY": "only-for-tests",
    "FRONTEND_ORIGINS": "http://localhost:5173",
    "FRONTEND_DIST": "not-built",  # not the build of this project
}


@pytest.fixture(scope="session", autouse=True)
def fast_hashes():
    """Use fast password hashes. The real parameters are slow on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def shared_app(tmp_path_factory):
    """Create an application with a new database. This runs once, because it is slow."""
    path = tmp_path_factory.mktemp("database") / "test.sqlite"
    app = create_app(DEVELOPMENT | {"DATABASE_URL": f"sqlite:///{path}"})
    with app.app_context():
        Model.metadata.create_all(db.engine)
    return app


@pytest.fixture
def app(shared_app):
    """Return the application. Its database has the users ada and grace, and nothing else."""
    with shared_app.app_context():
        for table in reversed(Model.metadata.sorted_tables):
            db.session.execute(table.delete())
        users.create_user("ada", PASSWORD)
        users.create_user("grace", PASSWORD)
        db.session.commit()
    limiter.reset()
    return shared_app


@pytest.fixture
def settings(app):
    """Return settings for development, for `create_app(settings | {…})`."""
    return DEVELOPMENT | {"DATABASE_URL": app.config["DATABASE_URL"]}


@pytest.fixture
def production(settings):
    """Return settings for production."""
    safe = {"APP_ENV": "production", "SECRET_KEY": "0123456789abcdef" * 4, "FRONTEND_ORIGINS": "none"}
    return settings | safe


@pytest.fixture
def client(app):
    """Return a client that is not signed in."""
    return app.test_client()


@pytest.fixture
def ada(app):
    """Return a client that is signed in as ada."""
    return sign_in(app, "ada")


@pytest.fixture
def grace(app):
    """Return a client that is signed in as grace."""
    return sign_in(app, "grace")


def sign_in(app, username, password=PASSWORD):
    """Return a client that is signed in."""
    client = app.test_client()
    response = client.post("/api/auth/login", json={"username": username, "password": password})
    assert response.status_code == 200
    return client
