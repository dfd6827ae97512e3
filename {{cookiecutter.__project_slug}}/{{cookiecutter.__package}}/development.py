"""Blueprint `development`, there in development only: it tells a page why the browser blocked its request."""

from typing import Any

import marshmallow as ma
from crossorigin import cors
from crossorigin.doctor.browser import Request, origin_of
from crossorigin.doctor.fixes import is_here
from crossorigin.doctor.trace import explain, request_of
from crossorigin.doctor.transport import InProcess
from flask import Flask, current_app, request
from marshmallow.validate import Length

from .extensions import Blueprint

development = Blueprint("development", __name__, url_prefix="/api/dev")
cors(development, origins=["*"], request_headers=["Content-Type"])


class HeadersField(ma.fields.Field[list[tuple[str, str]]]):
    """Names and values: as an object, or as pairs where a name comes twice."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[tuple[str, str]]:
        pairs = list(value.items()) if isinstance(value, dict) else value
        if not isinstance(pairs, list) or len(pairs) > 100:
            raise ma.ValidationError("Not an object or a list of pairs, with 100 names at most.")
        for pair in pairs:
            if not isinstance(pair, list | tuple) or [type(part) for part in pair] != [str, str]:
                raise ma.ValidationError("Not a name and a text for each header.")
            if len(pair[0]) + len(pair[1]) > 10_000:
                raise ma.ValidationError("Longer than 10000 characters.")
        return [(name, text) for name, text in pairs]


class RequestSchema(ma.Schema):
    method = ma.fields.String(required=True, validate=Length(1, 32))
    url = ma.fields.String(required=True, validate=Length(1, 4096))
    origin = ma.fields.String(required=True, validate=Length(1, 326))
    headers = HeadersField(load_default=list)
    credentials = ma.fields.Boolean(load_default=False, truthy={True}, falsy={False})

    @ma.post_load
    def _as_request(self, fields: dict[str, Any], **_: Any) -> Request:
        try:
            return request_of(**fields)
        except ValueError as error:
            raise ma.ValidationError(str(error)) from error


@development.route("/explain", methods=["POST"])
@development.arguments(RequestSchema)
def explain_request(asked: Request) -> dict[str, Any]:
    """Explain what a browser does with a request to this API; no view runs, nothing is sent anywhere"""
    here = origin_of(request.host_url)
    address = origin_of(asked.url) if is_here(asked.url, here, current_app.config["API_URL"]) else here
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return explain(asked, InProcess(app, address, views=False), app).as_dict()
