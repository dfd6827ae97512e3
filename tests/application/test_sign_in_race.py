"""Race condition: a sign-in while the password changes.

No session of the old password remains, and a rehash never overwrites the new password. Each test pauses the sign-in at
one point, and another thread changes the password there.
"""

import threading
from datetime import datetime
from unittest.mock import Mock

import pytest
from argon2 import PasswordHasher
from conftest import PASSWORD
from flask import Flask
from flask.testing import FlaskClient
from my_lab_api import sessions, users
from my_lab_api.extensions import db
from my_lab_api.models import LoginSession, now
from sqlalchemy import func, select

NEW = "another horse battery"


def change_password(app: Flask) -> threading.Thread:
    """Start a thread that changes the password of ada, as `flask user password ada` does."""

    def change() -> None:
        with app.app_context():
            user = users.find_user("ada")
            assert user
            users.set_password(user, NEW)
            db.session.commit()

    thread = threading.Thread(target=change)
    thread.start()
    return thread


def login(client: FlaskClient, password: str) -> int:
    return client.post("/api/auth/login", json={"username": "ada", "password": password}).status_code


def assert_only_new_password_works(app: Flask, client: FlaskClient) -> None:
    """Assert that the old cookie is invalid and that only the new password signs in."""
    assert client.get("/api/auth/me").status_code == 401
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(LoginSession)) == 0
    assert [login(app.test_client(), password) for password in (PASSWORD, NEW)] == [401, 200]


def build_hasher(time_cost: int) -> PasswordHasher:
    """Return a fast hasher. A sign-in rehashes a hash with another time cost."""
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)


each_cost = pytest.mark.parametrize("time_cost", [1, 2], ids=["no rehash", "rehash"])


@each_cost
def test_a_password_change_after_the_verification_refuses_the_sign_in(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, time_cost: int
) -> None:
    hasher = build_hasher(time_cost)

    def verify_slowly(verified: str, password: str) -> bool:
        hasher.verify(verified, password)
        change_password(app).join(20)
        return True

    monkeypatch.setattr(users, "hasher", Mock(wraps=hasher, verify=verify_slowly, time_cost=time_cost))
    assert login(client, PASSWORD) == 401
    monkeypatch.setattr(users, "hasher", hasher)
    assert_only_new_password_works(app, client)


@each_cost
def test_a_password_change_during_the_sign_in_deletes_the_new_session(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, time_cost: int
) -> None:
    monkeypatch.setattr(users, "hasher", build_hasher(time_cost))
    threads: list[threading.Thread] = []

    def change_meanwhile() -> datetime:
        """Change the password while the sign-in writes its session."""
        if not threads:
            threads.append(change_password(app))
            threads[0].join(0.3)
            assert threads[0].is_alive(), "the change did not wait for the sign-in"
        return now()

    with monkeypatch.context() as patch:
        patch.setattr(sessions, "now", change_meanwhile)
        assert login(client, PASSWORD) == 200
    threads[0].join(20)
    assert_only_new_password_works(app, client)


def test_a_rehash_is_written_with_the_session(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "hasher", build_hasher(2))
    assert [login(client, PASSWORD), client.get("/api/auth/me").status_code] == [200, 200]
    with app.app_context():
        user = users.find_user("ada")
        assert user
        assert "t=2" in user.password_hash
