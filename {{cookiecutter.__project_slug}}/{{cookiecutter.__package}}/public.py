"""Blueprint `public`: open to every page, and therefore without cookies."""

from http import HTTPStatus

import marshmallow as ma
from crossorigin import cors
from flask import Response, request, send_from_directory
from flask_smorest import abort
from marshmallow.validate import Length

from .extensions import Blueprint

public = Blueprint("public", __name__, url_prefix="/api/public", description="Open to every page")
cors(public, origins=["*"], request_headers=["Content-Type"])


class MessageSchema(ma.Schema):
    message = ma.fields.String(required=True, validate=Length(1, 2000))


class FeedbackSchema(MessageSchema):
    received_as = ma.fields.String(required=True, dump_only=True)


@public.route("/hello")
@public.response(200, MessageSchema)
def hello() -> dict[str, str]:
    """Say hello: a simple request, sent without asking first"""
    return {"message": "Hello, World!"}


@public.route("/echo", methods=["POST"])
@public.arguments(MessageSchema())
@public.response(200, MessageSchema)
def echo(message: dict[str, str]) -> dict[str, str]:
    """Send a message back: JSON is not safelisted, so the browser asks first (a preflight)"""
    return message


FEEDBACK_BODY = {
    "required": True,
    "content": {
        "text/plain": {"schema": {"type": "string", "minLength": 1, "maxLength": 2000}},
        "application/x-www-form-urlencoded": {"schema": MessageSchema},
        "multipart/form-data": {"schema": MessageSchema},
    },
}


@public.route("/feedback", methods=["POST"])
@public.doc(requestBody=FEEDBACK_BODY)
@public.response(201, FeedbackSchema)
def feedback() -> dict[str, str]:
    """Take a form or a text: the only bodies that a page may post without asking first"""
    if request.mimetype == "text/plain":
        text = request.get_data(as_text=True)
    elif request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        text = request.form.get("message", "")
    else:
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message="Send a form with the field message, or text/plain.")
    if errors := MessageSchema().validate({"message": text}):
        abort(HTTPStatus.UNPROCESSABLE_ENTITY, errors={"form": errors})
    return {"message": text, "received_as": request.mimetype}


@public.route("/assets/<name>")
@public.doc(responses={200: {"description": "A file", "content": {"image/png": {}, "font/ttf": {}}}})
def asset(name: str) -> Response:
    """Send an image or a font, which fonts, canvas, WebGL and CSS shapes load by CORS"""
    response = send_from_directory("assets", name, max_age=3600)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"  # <img> without CORS as well
    return response
