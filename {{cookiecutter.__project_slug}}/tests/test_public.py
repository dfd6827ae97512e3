"""Blueprint `public`: what every page may send and read."""

import pytest

FEEDBACK, FORM = "/api/public/feedback", {"message": "Hi"}
BODIES = {"text/plain": "Hi", "application/x-www-form-urlencoded": FORM, "multipart/form-data": FORM}


def test_hello_and_echo_answer_in_json(client):
    assert client.get("/api/public/hello").json == {"message": "Hello, World!"}
    assert client.post("/api/public/echo", json={"message": "字"}).json == {"message": "字"}


@pytest.mark.parametrize("kind", BODIES)
def test_feedback_takes_what_a_page_posts_without_asking(client, kind):
    answer = client.post(FEEDBACK, data=BODIES[kind], content_type=kind)
    assert (answer.status_code, answer.json) == (201, {"message": "Hi", "received_as": kind})


def test_feedback_says_what_it_does_not_take(client):
    for text in ("", "x" * 2001):
        answer = client.post(FEEDBACK, data={"message": text})
        assert (answer.status_code, list(answer.json["errors"]["form"])) == (422, ["message"])
    answer = client.post(FEEDBACK, json=FORM)
    assert answer.status_code == 415
    assert "text/plain" in answer.json["detail"]


def test_assets_may_be_embedded_anywhere_and_kept_and_nothing_else_is_there(client):
    for name, kind in (("cors.png", "image/png"), ("cors.ttf", "font/ttf")):
        with client.get(f"/api/public/assets/{name}") as answer:
            assert (answer.status_code, answer.mimetype) == (200, kind)
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
            assert answer.headers["Cache-Control"] == "public, max-age=3600"
    for name in ("none.png", "../config.py", "..%2fconfig.py", "..%5cconfig.py", "%00", ""):
        assert client.get(f"/api/public/assets/{name}").status_code == 404, name
