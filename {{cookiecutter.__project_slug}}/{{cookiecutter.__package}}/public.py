"""Blueprint `public`: open to every page, and therefore without cookies."""

import marshmallow as ma
from crossorigin import cors
from flask import request
from webargs.flaskparser import abort

from .api import Blueprint

public = Blueprint("public", __name__, url_prefix="/api/public", description="Open to every page")
cors(public, origins=["*"], request_headers=["Content-Type"])


class MessageSchema(ma.Schema):
    message = ma.fields.String(required=True, validate=ma.validate.Length(1, 2000))


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


TEXT = {"text/plain": {"schema": {"type": "string", "minLength": 1, "maxLength": 2000}}}
FORMS = {t: {"schema": MessageSchema} for t in ("application/x-www-form-urlencoded", "multipart/form-data")}


@public.route("/feedback", methods=["POST"])
@public.doc(requestBody={"required": True, "content": TEXT | FORMS})
@public.response(201, MessageSchema)
def feedback() -> dict[str, str]:
    """Take a form or a text: the only bodies that a page may post without a preflight"""
    if request.mimetype in TEXT:
        fields = {"message": request.get_data(as_text=True)}
    elif request.mimetype in FORMS:
        fields = request.form.to_dict()
    else:
        abort(415, message="Send a form with the field message, or text/plain.")
    if errors := MessageSchema().validate(fields):
        abort(422, errors={"form": errors})
    return fields
