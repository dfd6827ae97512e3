"""Blueprint `public`: open to every page, and therefore without cookies."""

from http import HTTPStatus
from typing import Any

import marshmallow as ma
from crossorigin import cors
from flask import request
from marshmallow.validate import Length
from webargs.flaskparser import abort

from .api import Blueprint

public = Blueprint("public", __name__, url_prefix="/api/public", description="Open to every page")
cors(public, origins=["*"], request_headers=["Content-Type"])


class MessageSchema(ma.Schema):
    message = ma.fields.String(required=True, validate=Length(1, 2000))


class FeedbackSchema(MessageSchema):
    received_as = ma.fields.String(required=True, dump_only=True)


@public.route("/hello")
@public.response(200, MessageSchema)
def hello() -> dict[str, str]:
    """Say hello: a simple request, sent without a preflight"""
    return {"message": "Hello, World!"}


@public.route("/echo", methods=["POST"])
@public.arguments(MessageSchema())
@public.response(200, MessageSchema)
def echo(message: dict[str, str]) -> dict[str, str]:
    """Send a message back: JSON is not safelisted, so the browser sends a preflight first"""
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
    """Take a form or a text: the only bodies that a page may post without a preflight"""
    if request.mimetype == "text/plain":
        fields: dict[str, Any] = {"message": read_text()}
    elif request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        sent = request.form.to_dict(flat=False) | request.files.to_dict(flat=False)
        # a field that is sent twice stays a list, which the schema refuses, as it does files
        fields = {name: values[0] if len(values) == 1 else values for name, values in sent.items()}
    else:
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message="Send a form with the field message, or text/plain.")
    try:
        message: dict[str, str] = MessageSchema().load(fields)
    except ma.ValidationError as error:
        abort(HTTPStatus.UNPROCESSABLE_ENTITY, errors={"form": error.messages})
    return message | {"received_as": request.mimetype}


def read_text() -> str:
    charset = request.mimetype_params.get("charset", "utf-8")
    if charset.lower() not in ("utf-8", "us-ascii", "iso-8859-1", "windows-1252"):
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message=f"The charset {charset!r} is unknown. Send UTF-8.")
    try:
        return request.get_data().decode(charset)
    except UnicodeDecodeError as error:
        abort(HTTPStatus.BAD_REQUEST, message=f"The text is not {charset}: {error.reason}. Send UTF-8.")
