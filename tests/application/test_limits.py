"""Rate limits of the sign-in: which addresses count as one client, and when a request counts."""

import pytest
from conftest import PASSWORD, settings
from flask.testing import FlaskClient
from my_lab_api import create_app
from my_lab_api.extensions import get_client_network
from werkzeug import Request

NETWORKS = {  # the address that the server sees, and the network that the limit counts
    "192.0.2.1": "192.0.2.1",
    "192.0.2.1:50123": "192.0.2.1",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "2001:DB8:1:2:ffff:ffff:ffff:ffff": "2001:db8:1:2::/64",
    "[2001:db8:1:2::1]": "2001:db8:1:2::/64",
    "[2001:db8:1:2::1]:50123": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
    "fe80::1%eth0": "fe80::/64",
    "::1": "::/64",
    "::ffff:192.0.2.1": "192.0.2.1",
    "[::ffff:192.0.2.1]:80": "192.0.2.1",
    "unknown": "unknown",
    "": "unknown",
}


@pytest.fixture
def limited_client(database: str) -> FlaskClient:
    """A client of an application that allows two sign-ins for each address."""
    return create_app(settings(database, LOGIN_LIMIT="2 per minute")).test_client()


def login(client: FlaskClient, address: str, **sent: object) -> int:
    sent = sent or {"json": {"username": "ada", "password": PASSWORD}}
    return client.post("/api/auth/login", environ_overrides={"REMOTE_ADDR": address}, **sent).status_code  # type: ignore[arg-type]


@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_an_ipv6_address_counts_as_its_network(limited_client: FlaskClient, address: str, network: str) -> None:
    with limited_client.application.test_request_context(environ_overrides={"REMOTE_ADDR": address}):
        assert get_client_network() == network


def test_another_ipv6_address_of_the_network_and_another_port_count_as_the_same_client(
    limited_client: FlaskClient,
) -> None:
    assert [login(limited_client, f"2001:db8::{n}") for n in range(3)] == [200, 200, 429]
    assert [login(limited_client, f"192.0.2.1:{n}") for n in (80, 81, 82)] == [200, 200, 429]
    assert login(limited_client, "2001:db8:0:1::1") == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"username": 1}'])
def test_a_request_with_an_invalid_body_counts(limited_client: FlaskClient, body: bytes) -> None:
    statuses = [login(limited_client, "192.0.2.1", data=body, content_type="application/json") for _ in range(3)]
    assert statuses[0] in (400, 422)
    assert statuses[2] == 429


def test_a_limit_responds_before_the_body_is_read(limited_client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [login(limited_client, "192.0.2.1") for _ in range(2)] == [200, 200]
    monkeypatch.delattr(Request, "get_data")  # reading the body fails from now on
    assert login(limited_client, "192.0.2.1") == 429
