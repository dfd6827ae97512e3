"""Blueprint `public`: every page may use it."""

import pytest

FEEDBACK, FORM = "/api/public/feedback", {"message": "Hi"}
BODIES = {"text/plain": "Hi", "application/x-www-form-urlencoded": FORM, "multipart/form-data": FORM}


def test_hello_and_echo_respond_with_json(client):
    assert client.get("/api/public/hello").json == {"message": "Hello, World!"}
    assert client.post("/api/public/echo", json={"message": "字"}).json == {"message": "字"}


@pytest.mark.parametrize("kind", BODIES)
def test_feedback_accepts_simple_requests(client, kind):
    answer = client.post(FEEDBACK, data=BODIES[kind], content_type=kind)
    assert (answer.status_code, answer.json) == (201, {"message": "Hi"})


def test_feedback_reports_what_it_does_not_accept(client):
    for text in ("", "x" * 2001):
        answer = client.post(FEEDBACK, data={"message": text})
        assert (answer.status_code, list(answer.json["errors"]["form"])) == (422, ["message"])
    answer = client.post(FEEDBACK, json=FORM)
    assert answer.status_code == 415
    assert "text/plain" in answer.json["detail"]
