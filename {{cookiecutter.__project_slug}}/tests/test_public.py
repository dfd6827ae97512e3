"""Blueprint `public`: requests that every origin can send and read."""

import pytest


def test_hello_returns_a_message(client):
    response = client.get("/api/public/hello")
    assert response.status_code == 200
    assert response.json["message"] == "Hello, World!"


def test_echo_returns_the_message(client):
    response = client.post("/api/public/echo", json={"message": "字"})
    assert response.status_code == 200
    assert response.json["message"] == "字"


def test_feedback_accepts_a_text(client):
    response = client.post("/api/public/feedback", data="Hi", content_type="text/plain")
    assert response.status_code == 201
    assert response.json["message"] == "Hi"


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_feedback_accepts_a_form(client, form):
    response = client.post("/api/public/feedback", data={"message": "Hi"}, content_type=form)
    assert response.status_code == 201
    assert response.json["message"] == "Hi"


@pytest.mark.parametrize("text", ["", "x" * 2_001])
def test_feedback_that_is_too_short_or_too_long_is_refused(client, text):
    response = client.post("/api/public/feedback", data={"message": text})
    assert response.status_code == 422
    assert list(response.json["errors"]["form"]) == ["message"]


def test_feedback_in_json_is_refused(client):
    response = client.post("/api/public/feedback", json={"message": "Hi"})
    assert response.status_code == 415
