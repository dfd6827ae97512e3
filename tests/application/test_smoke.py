"""A signed-in user."""

from flask.testing import FlaskClient


def test_a_signed_in_user_is_known(ada: FlaskClient) -> None:
    assert ada.get("/api/auth/me").json["username"] == "ada"
