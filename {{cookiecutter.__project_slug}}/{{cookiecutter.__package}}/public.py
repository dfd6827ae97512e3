"""Blueprint `public`: open to every origin, so it must not use cookies."""

from typing import Any

import marshmallow as ma
from crossorigin import cors
from flask import request
from webargs.flaskparser import abort

from .api import Blueprint

public = Blueprint("public", __name__, url_prefix="/api/public", description="Open to every origin")
cors(public, origins=["*"], request_headers=["Content-Type"])


class MessageSchema(ma.Schema):
    message = ma.fields.String(required=True, validate=ma.validate.Length(1, 2000))


@public.route("/hello")
@public.response(200, MessageSchema)
def say_hello() -> dict[str, str]:
    """Say hello, in a simple request without a preflight"""
    return {"message": "Hello, World!"}


@public.route("/echo", methods=["POST"])
@public.arguments(MessageSchema())
@public.response(200, MessageSchema)
def echo(message: dict[str, str]) -> dict[str, str]:
    """Send a message back, after a preflight, because JSON is not safelisted"""
    return message


TEXT = {"text/plain": {"schema": {"type": "string", "minLength": 1, "maxLength": 2000}}}
FORMS = {t: {"schema": MessageSchema} for t in ("application/x-www-form-urlencoded", "multipart/form-data")}


@public.route("/feedback", methods=["POST"])
@public.doc(requestBody={"required": True, "content": TEXT | FORMS})
@public.response(201, MessageSchema)
def receive_feedback() -> dict[str, str]:
    """Accept a form or a text, which a page can post without a preflight"""
    if request.mimetype in TEXT:
        fields: dict[str, Any] = {"message": read_text()}
    elif request.mimetype in FORMS:
        fields = request.form.to_dict() | request.files.to_dict()
    else:
        abort(415, message=f"Send text/plain or a form with the field message, not {request.mimetype!r}.")
    if errors := MessageSchema().validate(fields):
        abort(422, errors={"form": errors})
    return fields


def read_text() -> str:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    try:
        if charset in ("utf-8", "us-ascii", "iso-8859-1", "windows-1252"):  # some others decode slowly
            return request.get_data().decode(charset)
    except UnicodeDecodeError as error:
        abort(400, message=f"The text is not valid {charset}: {error.reason}. Send UTF-8.")
    abort(415, message=f"The charset {charset!r} is not supported. Send UTF-8.")
