"""Blueprint `public`: what every page may send and read."""

import pytest
from conftest import PAGE
from crossorigin import find_policy

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


ASSETS = {"cors.png": "image/png", "cors.ttf": "font/ttf"}


@pytest.mark.parametrize("name", ASSETS)
@pytest.mark.parametrize("headers", [{}, {"Origin": PAGE}], ids=["no origin", "an origin"])
@pytest.mark.parametrize("blueprint", ["public", "closed"])
def test_assets_may_be_shown_anywhere_but_read_where_a_policy_says_so(client, blueprint, headers, name):
    path = f"/api/{blueprint}/assets/{name}"
    with client.application.test_request_context(path):
        policy = find_policy()
    assert (policy is None) == (blueprint == "closed")
    first = client.get(path, headers=headers, buffered=True)
    assert (first.status_code, first.mimetype) == (200, ASSETS[name])
    known = {"If-None-Match": first.headers["ETag"], **headers}
    again = client.get(path, headers=known, buffered=True)
    assert again.status_code == 304
    for answer in (first, again):
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert answer.headers.get("Access-Control-Allow-Origin") == (policy and policy.allow_origin(PAGE))
        assert "Vary" not in answer.headers  # the same for every origin: a cache needs one copy


def test_nothing_else_is_among_the_assets(client):
    for name in ("none.png", "../config.py", "..%2fconfig.py", "..%5cconfig.py", "%00", ""):
        assert client.get(f"/api/public/assets/{name}").status_code == 404, name


def test_closed_says_the_same_to_everybody_but_lets_no_page_read_it(client):
    answer = client.get("/api/closed/hello", headers={"Origin": PAGE})
    assert answer.json == client.get("/api/public/hello").json
    assert [name for name, _ in answer.headers if name.startswith("Access-Control-")] == []
