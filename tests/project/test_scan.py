"""A scan of the production server: malformed requests get the expected status and disclose nothing."""

import json
import re
from collections.abc import Callable, Iterator

import pytest

from tests.baking import BakedProject
from tests.client import PASSWORD, USER
from tests.production import Api, create_production_settings, serving_api
from tests.project import scan_rows

PAGE = b"https://app.example.test"
# security headers of the API. Some errors come from Granian and do not have them
HARDENED = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
}
DISCLOSURES = re.compile(rb"granian/|python|werkzeug|flask|sqlite|traceback|/site-packages/", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(get_installed: Callable[[str], BakedProject], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Run a production server with one trusted host. At the end, assert that it logged no error."""
    project = get_installed("default")
    folder = tmp_path_factory.mktemp("scan")
    settings = create_production_settings(project, folder)
    changes = {"FRONTEND_ORIGINS": PAGE.decode(), "TRUSTED_HOSTS": "api.example.test", "WORKERS": "1"}
    with serving_api(folder, project, settings | changes) as started:
        yield started
        assert started.get("/health/ready") == 200
        lines = [json.loads(line) for line in started.output.splitlines()]
        messages = [line["message"] for line in lines if line["level"] != "INFO"]
        assert [message for message in messages if "Cookie header arrived empty" not in message] == []


def parse_response(answer: bytes) -> tuple[int | None, list[tuple[bytes, bytes]], bytes]:
    """Return the status, the headers and the body of a response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    pairs = [(name.lower(), value) for name, _, value in (line.partition(b": ") for line in lines)]
    return int(first.split()[1]) if first else None, pairs, body


@pytest.mark.parametrize(("sent", "expected"), scan_rows.ROWS.values(), ids=scan_rows.ROWS)
def test_a_malformed_request_gets_the_expected_response(server: Api, sent: bytes, expected: int | None) -> None:
    answer = server.send(sent)
    status, pairs, body = parse_response(answer)
    headers = dict(pairs)
    assert (status, answer.count(b"HTTP/1.")) == (expected, 0 if expected is None else 1)
    assert b"x-injected" not in headers
    assert b"set-cookie" not in headers
    assert not any(name.startswith(b"access-control-allow-c") for name in headers)
    assert DISCLOSURES.search(answer) is None
    assert headers.get(b"server", b"granian") == b"granian"
    if headers.get(b"content-length", b"0") != b"0":
        assert HARDENED.items() <= headers.items()
        if expected is not None and expected >= 400:
            assert headers[b"content-type"] == b"application/problem+json"
            assert json.loads(body)["status"] == expected


def test_the_session_cookie_has_all_security_attributes(server: Api) -> None:
    body = json.dumps({"username": USER, "password": PASSWORD}).encode()
    status, headers, _ = parse_response(server.send(scan_rows.post(body, b"Origin: " + PAGE)))
    cookies = [value for name, value in headers if name == b"set-cookie"]
    assert (status, len(cookies)) == (200, 1)
    name, *flags = cookies[0].split(b"; ")
    assert name.startswith(b"__Host-my_lab_api_session=")
    assert {flag for flag in flags if not flag.startswith(b"Expires=")} == {
        b"Secure",
        b"HttpOnly",
        b"Path=/",
        b"SameSite=Lax",
    }
    assert dict(headers)[b"cache-control"] == b"private, no-cache"


def test_pipelined_requests_get_responses_in_order(server: Api) -> None:
    first = scan_rows.get().replace(b"Connection: close\r\n", b"")
    answer = server.send(first + scan_rows.get(b"/nowhere"))
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"200", b"404"]


def test_slow_request_headers_close_the_connection(server: Api) -> None:
    assert server.send(b"GET / HTTP/1.1\r\nHost: api.exa") == b""
