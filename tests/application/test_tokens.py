"""Tokens and roles: attacks, and commands with invalid input."""

import logging

import pytest
from conftest import sign_in
from flask import Flask
from my_lab_api.extensions import db
from my_lab_api.models import ApiToken
from sqlalchemy import select, text

INVALID_HEADERS = [
    "",
    "Bearer",
    "Bearer ",
    "bearer x",
    "Basic YWRhOng=",
    "Basic !",
    "Bearer \xff",
    "Bearer a b",
    "Token x",
    "Bearer =",
    ",",
]


def run_flask(app: Flask, *words: str, typed: str = "") -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=words, input=typed)
    return done.exit_code, done.output


@pytest.fixture
def token(app: Flask) -> str:
    code, printed = run_flask(app, "token", "create", "ada", "raspberry")
    assert code == 0
    return printed.strip()


@pytest.mark.parametrize("authorization", INVALID_HEADERS)
@pytest.mark.parametrize("path", ["/api/auth/me", "/api/notes"])
def test_an_invalid_header_is_401_and_the_cookie_is_not_read(app: Flask, path: str, authorization: str) -> None:
    client = sign_in(app, "ada")
    answer = client.get(path, headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("added", ["", "x"])
def test_a_part_of_a_token_is_refused(app: Flask, token: str, start: int, added: str) -> None:
    status = (
        app.test_client().get("/api/auth/me", headers={"Authorization": f"Bearer {token[start:]}{added}"}).status_code
    )
    assert status == (200 if token[start:] + added == token else 401)


def test_a_token_does_not_appear_in_logs_or_errors(app: Flask, token: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [
            app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}x"}, json={})
            for path in ("/api/notes", "/api/auth/me", "/nothing")
            for method in ("GET", "POST", "DELETE")
        ]
    assert all(token not in answer.text for answer in answers)
    assert token not in caplog.text


def test_the_last_use_is_written_at_most_once_a_minute(app: Flask, token: str) -> None:
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    uses = []
    for _ in range(3):
        assert client.get("/api/auth/me", headers=headers).status_code == 200
        with app.app_context():
            uses.append(db.session.scalars(select(ApiToken.last_used_at)).one())
    assert uses[0] is not None
    assert len(set(uses)) == 1


def test_deleting_a_user_deletes_the_tokens(app: Flask, token: str) -> None:
    with app.app_context():
        db.session.execute(text("DELETE FROM user_account WHERE username = 'ada'"))
        db.session.commit()
        assert db.session.scalars(select(ApiToken)).all() == []
    assert app.test_client().get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("token", "create", "nobody", "x"), "there is no user 'nobody'"),
        (("token", "create", "ada", ""), "does not have 1 to 64"),
        (("token", "create", "ada", "x" * 65), "does not have 1 to 64"),
        (("token", "create", "ada", "a\nb"), "does not have 1 to 64"),
        (("token", "create", "ada", "raspberry"), "the token 'raspberry' exists already"),
        (("token", "revoke", "ada", "other"), "ada has no token 'other'"),
        (("token", "revoke", "grace", "raspberry"), "grace has no token 'raspberry'"),
        (("token", "list", "nobody"), "there is no user 'nobody'"),
        (("user", "role", "nobody", "admin"), "there is no user 'nobody'"),
        (("user", "role", "ada", "Admin!"), "does not have 1 to 20 lower-case letters"),
        (("user", "create", "eve", "--role", "", "--password-stdin"), "the role '' does not"),
    ],
)
@pytest.mark.usefixtures("token")
def test_a_command_reports_an_error_in_a_sentence(app: Flask, words: tuple[str, ...], said: str) -> None:
    code, output = run_flask(app, *words, typed="a good password\n")
    assert code == 1
    assert output.startswith("Error: ")
    assert said in output


@pytest.mark.parametrize("line", ["a good password\n", "a good password\r\n", "a good password"])
def test_a_password_comes_from_standard_input(app: Flask, line: str) -> None:
    assert run_flask(app, "user", "create", "eve", "--password-stdin", typed=line)[0] == 0
    credentials = {"username": "eve", "password": "a good password"}
    assert app.test_client().post("/api/auth/login", json=credentials).status_code == 200


@pytest.mark.parametrize("name", ["ADA", " ada ", "\uff41da"])
def test_another_form_of_an_existing_name_is_409(app: Flask, name: str) -> None:
    answer = app.test_client().post("/api/auth/register", json={"username": name, "password": "a good password"})
    assert answer.status_code == 409
    assert "another name" in answer.json["detail"]


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "x" * 65, "a\x00b"])
def test_an_invalid_name_is_422(app: Flask, name: str) -> None:
    answer = app.test_client().post("/api/auth/register", json={"username": name, "password": "a good password"})
    assert answer.status_code == 422


def test_sign_ups_are_limited_for_each_address(app: Flask) -> None:
    app.config["LOGIN_LIMIT"] = "2 per minute"
    statuses = [app.test_client().post("/api/auth/register", data="odd").status_code for _ in range(3)]
    assert statuses == [415, 415, 429]
