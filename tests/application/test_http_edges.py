"""Adversarial and malformed requests get a JSON problem, no traceback and no injected log line."""

import gc
import gzip
import json
import logging
from typing import Any

import pytest
from conftest import settings, sign_in
from flask import Flask, request
from flask.logging import default_handler
from flask.testing import FlaskClient
from my_lab_api import create_app
from werkzeug.test import EnvironBuilder, run_wsgi_app

LOGIN, FEEDBACK, NOTES = "/api/auth/login", "/api/public/feedback", "/api/notes"
JSON = "application/json"
LARGEST = {"title": "\U0001f600" * 200, "body": "\U0001f600" * 10_000}


def create_note(client: FlaskClient, **fields: str) -> tuple[str, str]:
    """Create a note and return its path and its ETag."""
    answer = client.post(NOTES, json={"title": "A note", **fields})
    assert answer.status_code == 201
    return f"{NOTES}/{answer.json['id']}", answer.headers["ETag"]


# hosts and schemes

INVALID_HOSTS = [
    "[:::]",
    "[1.2.3.4]",
    "[::1",
    "xn--a",
    "XN--A",
    "xn--a.example",
    "a b",
    "a/b",
    "me@lab",
    "a..b",
    "",
    "é",
]


@pytest.mark.parametrize("host", INVALID_HOSTS)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/public/hello"), ("GET", "/api//public/hello"), ("POST", "/api/auth/logout")]
)
def test_an_invalid_host_is_400(
    app: Flask, caplog: pytest.LogCaptureFixture, host: str, method: str, path: str
) -> None:
    environ = EnvironBuilder(path, method=method, headers={"Origin": "http://evil.example"}).get_environ()
    # the test client of Werkzeug would fail on such a host itself
    _, status, headers = run_wsgi_app(app, {**environ, "HTTP_HOST": host})
    assert (status, headers["Content-Type"]) == ("400 BAD REQUEST", "application/problem+json")
    assert {record.levelname for record in caplog.records} <= {"INFO", "DEBUG"}


@pytest.mark.parametrize(
    "host", ["[::1]", "[::1]:80", "localhost:8000", "xn--bcher-kva.example", "XN--BCHER-KVA.example"]
)
def test_a_valid_host_is_served(client: FlaskClient, host: str) -> None:
    assert client.get("/api/public/hello", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("proto", ["garbage", "javascript", "http://x", "a b", "é", "ftp", "https;"])
def test_a_forwarded_scheme_other_than_http_and_https_is_400(database: str, proto: str) -> None:
    client = create_app(settings(database, TRUSTED_PROXIES="1")).test_client()
    for path in ("/api/public/hello", "/api/auth/me"):
        answer = client.get(path, environ_overrides={"HTTP_X_FORWARDED_PROTO": proto})
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
        assert repr(proto) in answer.json["detail"]
    for fine in ("http", "https", "http, https"):
        assert client.get("/api/public/hello", headers={"X-Forwarded-Proto": fine}).status_code == 200


@pytest.mark.parametrize("host", ["[::", "a b"])
def test_an_invalid_forwarded_host_is_400(database: str, host: str) -> None:
    client = create_app(settings(database, TRUSTED_PROXIES="1")).test_client()
    assert client.post("/api/auth/logout", headers={"X-Forwarded-Host": host}).status_code == 400


# the log

BREAKS = ["%0A", "%0D", "%0D%0A", "%0B", "%0C", "%1C", "%C2%85", "%E2%80%A8"]


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("log_format", ["plain", "json"])
def test_no_input_can_start_a_log_line(
    database: str, caplog: pytest.LogCaptureFixture, log_format: str, line_break: str
) -> None:
    app = create_app(settings(database, LOG_FORMAT=log_format))

    @app.get("/fails/<name>")
    def fail(name: str) -> None:
        raise RuntimeError(f"no {name}")

    injected = f"{line_break}12:00:00 INFO injected"
    with caplog.at_level(logging.INFO):
        app.test_client().get(f"/fails/x{injected}")
        app.test_client().get(f"/nowhere{injected}", headers={"Origin": "http://x\t12:00:00"})
    lines = "\n".join(default_handler.format(record) for record in caplog.records).splitlines()
    assert any("RuntimeError" in line for line in lines)
    assert not [line for line in lines if line.startswith("12:00:00 INFO injected")]
    first = [line for line in lines if not line.startswith("    ")]
    assert len(first) == len(caplog.records)


# JSON

BODIES: dict[str, tuple[bytes, int]] = {
    "NaN": (b'{"title": NaN}', 400),
    "Infinity": (b'{"title": -Infinity}', 400),
    "a number that is too large": (b'{"title": 1e999999}', 422),
    "10,000 digits": (b'{"title": ' + b"9" * 10_000 + b"}", 400),
    "60,000 brackets": (b"[" * 60_000, 400),
    "20,000 nested objects": (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, 400),
    "half a character": (b'{"title": "\\ud800"}', 422),
    "half a character as a name": (b'{"\\uDFFF": "x"}', 422),
    "a whole character": (b'{"title": "\\ud83d\\ude00"}', 201),
    "an escaped backslash before half a character": (b'{"title": "\\\\ud800"}', 201),
    "a byte order mark": (b'\xef\xbb\xbf{"title": "x"}', 201),
    "UTF-16": ('{"title": "x"}'.encode("utf-16"), 201),
    "not UTF-8": (b'{"title": "\xff"}', 400),
    "a name twice": (b'{"title": "x", "title": "y"}', 201),
    "nothing": (b"", 400),
    "a list": (b"[]", 422),
    "null": (b"null", 422),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_a_body_that_is_not_json_is_refused(ada: FlaskClient, body: bytes, status: int) -> None:
    answer = ada.post(NOTES, data=body, content_type=JSON)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == (JSON if status == 201 else "application/problem+json")


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_the_largest_note_fits_into_the_json_limit(ada: FlaskClient, ensure_ascii: bool) -> None:
    data = json.dumps(LARGEST, ensure_ascii=ensure_ascii).encode()
    assert ada.post(NOTES, data=data, content_type=JSON).json["body"] == LARGEST["body"]


@pytest.mark.parametrize(
    ("path", "kind"), [*((path, JSON) for path in (LOGIN, NOTES, "/api/public/echo")), (FEEDBACK, "text/plain")]
)
def test_a_longer_body_is_413_and_the_error_names_the_setting(ada: FlaskClient, path: str, kind: str) -> None:
    setting = "MAX_JSON_LENGTH" if kind == JSON else "MAX_CONTENT_LENGTH"
    limit = ada.application.config[setting]
    answer = ada.post(path, data=b" " * (limit + 1), content_type=kind)
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")
    assert f"{limit} bytes" in answer.json["detail"]
    assert setting in answer.json["detail"]


def test_a_blueprint_can_raise_its_limit(app: Flask) -> None:
    def raise_limit() -> None:
        if request.path == "/api/public/echo":
            request.max_content_length = 1024 * 1024

    app.before_request_funcs.setdefault("public", []).append(raise_limit)
    answer = app.test_client().post("/api/public/echo", data=b" " * 200_000 + b'{"message": "x"}', content_type=JSON)
    assert answer.status_code == 200


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Werkzeug leaves the file open
def test_an_invalid_date_is_not_a_server_error(client: FlaskClient) -> None:
    date = "Fri, 31 Dec 99999999999 23:59:59 GMT"
    for name in ("If-Modified-Since", "If-Unmodified-Since", "If-Range"):
        with client.get("/api/docs/swagger-ui.css", headers={name: date}) as answer:
            assert answer.status_code in (200, 400)
    gc.collect()


# feedback

TEXT = "text/plain"
FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


def build_part(name: str, text: str, more: str = "") -> bytes:
    """Return a part of a multipart body."""
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{text}\r\n'.encode()


FEEDBACKS: dict[str, tuple[str, bytes, int, str | None]] = {
    "a text in UTF-8": (TEXT, "é".encode(), 201, "é"),
    "a text with charset UTF-8": (f"{TEXT}; charset=UTF-8", "é".encode(), 201, "é"),
    "a text that is not UTF-8": (TEXT, b"\xe9", 400, None),
    "an unknown charset": (f"{TEXT}; charset=klingon", b"x", 415, None),
    "no text": (TEXT, b"", 422, None),
    "a long text": (TEXT, b"x" * 2001, 422, None),
    "a form": (FORM, b"message=%C3%A9", 201, "é"),
    "a form with another field": (FORM, b"message=x&other=y", 422, None),
    "a text in Latin 1": (f"{TEXT}; charset=iso-8859-1", b"\xe9", 201, "é"),
    "a text in Windows-1252": (f'{TEXT};charset="windows-1252"', b"\x80", 201, "€"),
    "a codec that is not a charset": (f"{TEXT}; charset=punycode", b"x", 415, None),
    "a form with the field twice": (FORM, b"message=x&message=y", 201, "x"),
    "a form without the field": (FORM, b"other=y", 422, None),
    "parts": (PARTS, build_part("message", "é") + b"--x--", 201, "é"),
    "parts with another": (PARTS, build_part("message", "x") + build_part("other", "y") + b"--x--", 422, None),
    "parts with a file": (
        PARTS,
        build_part("message", "x") + build_part("f", "y", '; filename="a"') + b"--x--",
        422,
        None,
    ),
    "a file in its place": (PARTS, build_part("message", "x", '; filename="a"') + b"--x--", 422, None),
    "JSON": (JSON, b'{"message": "x"}', 415, None),
}


@pytest.mark.parametrize(("kind", "body", "status", "text"), FEEDBACKS.values(), ids=FEEDBACKS)
def test_feedback_accepts_what_its_schema_allows(
    client: FlaskClient, kind: str, body: bytes, status: int, text: str | None
) -> None:
    answer = client.post(FEEDBACK, data=body, content_type=kind)
    assert (answer.status_code, answer.json.get("message")) == (status, text)


# ETags

CHANGES: list[tuple[str, Any]] = [("PUT", {"title": "New"}), ("PATCH", {"title": "New"}), ("DELETE", None)]
REWRITTEN_ETAGS = ["W/{}", "{}-gzip", "{}-br", "{}-zstd", "{}--gzip", "W/{}-gzip"]


def rewrite_etag(tag: str, form: str) -> str:
    """Return an ETag as a proxy rewrites it. `form` has {} for the ETag without its last quote."""
    return form.format(tag[:-1]) + '"'


@pytest.mark.parametrize(("method", "body"), CHANGES)
@pytest.mark.parametrize("form", REWRITTEN_ETAGS)
def test_an_etag_that_a_proxy_has_rewritten_matches(ada: FlaskClient, method: str, body: Any, form: str) -> None:
    path, tag = create_note(ada)
    seen = rewrite_etag(tag, form)
    assert ada.get(path, headers={"If-None-Match": f'"other", {seen}'}).status_code == 304
    unchanged = ada.get(path, headers={"If-None-Match": seen})
    assert (unchanged.status_code, unchanged.headers["ETag"]) == (304, tag)
    stale = rewrite_etag(tag.replace(tag[1:5], "0000"), form)
    assert ada.open(path, method=method, json=body, headers={"If-Match": stale}).status_code == 412
    assert ada.open(path, method=method, json=body, headers={"If-Match": f'"other", {seen}'}).status_code < 300


@pytest.mark.parametrize("tags", ['"', '"a', "W/", '""', '"-gzip"', "a-gzip", '"a" "b"', "," * 5000, '"' * 5001])
def test_an_invalid_etag_matches_nothing(ada: FlaskClient, tags: str) -> None:
    path, _ = create_note(ada)
    assert ada.get(path, headers={"If-None-Match": tags}).status_code == 200
    assert ada.delete(path, headers={"If-Match": tags}).status_code in (412, 428)


def test_the_etag_of_another_users_note_reveals_nothing(app: Flask, ada: FlaskClient) -> None:
    path, tag = create_note(ada)
    grace = sign_in(app, "grace")
    assert grace.get(path, headers={"If-None-Match": tag}).status_code == 404
    assert grace.delete(path, headers={"If-Match": tag}).status_code == 404


def test_a_response_lists_ten_errors_at_most(client: FlaskClient) -> None:
    many = {str(number): 1 for number in range(10_000)}
    answer = client.post(LOGIN, json=many)
    assert (answer.status_code, len(answer.json["errors"]["json"])) == (422, 10)
    assert len(answer.data) < 2000


@pytest.mark.parametrize("path", [LOGIN, "/api/public/echo", FEEDBACK])
def test_a_compressed_body_is_415(client: FlaskClient, path: str) -> None:
    for coding in ("gzip", "br", "deflate, gzip"):
        answer = client.post(path, data=gzip.compress(b"{}"), content_type=JSON, headers={"Content-Encoding": coding})
        assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")


@pytest.mark.parametrize(("method", "body"), CHANGES)
def test_a_change_honours_if_none_match(ada: FlaskClient, method: str, body: Any) -> None:
    path, tag = create_note(ada)
    for none in ("*", tag, rewrite_etag(tag, "W/{}"), rewrite_etag(tag, "{}-zstd"), f'"other", {tag}'):
        answer = ada.open(path, method=method, json=body, headers={"If-Match": tag, "If-None-Match": none})
        assert (answer.status_code, answer.mimetype) == (412, "application/problem+json"), none
    fine = {"If-Match": tag, "If-None-Match": '"other"'}
    assert ada.open(path, method=method, json=body, headers=fine).status_code < 300
