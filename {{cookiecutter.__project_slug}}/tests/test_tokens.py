"""API tokens for machines, and user roles."""

from datetime import timedelta

import pytest
from flask import g
from sqlalchemy import select, update
from werkzeug.exceptions import Forbidden

from {{ cookiecutter.__package }}.extensions import db
from {{ cookiecutter.__package }}.models import ApiToken, now
from {{ cookiecutter.__package }}.sessions import create_token, require_role
from {{ cookiecutter.__package }}.users import find_user


@pytest.fixture
def bearer(app):
    """Return the header of a machine with a token of ada."""
    with app.app_context():
        token = create_token(find_user("ada"), "raspberry", timedelta(days=30))
    return {"Authorization": f"Bearer {token}"}


def test_a_token_signs_a_request_in_without_a_cookie(client, bearer):
    response = client.get("/api/auth/me", headers=bearer)
    assert response.json["username"] == "ada"
    assert "Set-Cookie" not in response.headers


def test_a_token_needs_no_csrf_protection_because_the_cookie_is_ignored(ada, bearer):
    headers = {"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}
    assert ada.post("/api/auth/logout", headers=headers).status_code == 403
    assert ada.post("/api/auth/logout", headers=headers | bearer).status_code == 204
    assert ada.get("/api/auth/me").status_code == 200


def test_an_invalid_token_is_401_even_with_a_valid_cookie(ada):
    response = ada.get("/api/auth/me", headers={"Authorization": "Bearer wrong"})
    assert response.status_code == 401
    assert "Bearer" in response.headers["WWW-Authenticate"]


def test_a_token_overrides_the_cookie_of_another_user(grace, bearer):
    assert grace.get("/api/auth/me", headers=bearer).json["username"] == "ada"


def test_a_token_expires(app, client, bearer):
    with app.app_context():
        db.session.execute(update(ApiToken).values(expires_at=now()))
        db.session.commit()
    assert client.get("/api/auth/me", headers=bearer).status_code == 401


def test_only_the_hash_of_a_token_is_stored(app, bearer):
    with app.app_context():
        stored = db.session.scalars(select(ApiToken)).one()
    assert stored.token_hash not in bearer["Authorization"]


def test_commands_create_list_and_revoke_tokens(app, client):
    runner = app.test_cli_runner()
    token = runner.invoke(args=["token", "create", "ada", "raspberry"]).stdout.strip()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/auth/me", headers=headers).status_code == 200
    assert "raspberry" in runner.invoke(args=["token", "list", "ada"]).output
    assert "already" in runner.invoke(args=["token", "create", "ada", "raspberry"]).output
    assert runner.invoke(args=["token", "revoke", "ada", "raspberry"]).exit_code == 0
    assert client.get("/api/auth/me", headers=headers).status_code == 401


def test_a_view_can_require_a_role(app, bearer):
    with app.test_request_context("/", headers=bearer), pytest.raises(Forbidden, match="admin"):
        require_role("admin")()
    assert app.test_cli_runner().invoke(args=["user", "role", "ada", "admin"]).exit_code == 0
    with app.test_request_context("/", headers=bearer):
        require_role("admin")()
        assert g.user.username == "ada"
