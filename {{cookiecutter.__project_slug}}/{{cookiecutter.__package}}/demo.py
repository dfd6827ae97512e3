"""Blueprints `demo_cors` and `demo_no_cors`: the same views with CORS, and without CORS for comparison."""

from crossorigin import cors
from flask import Response, send_from_directory
from marshmallow import Schema, fields

from .api import Blueprint

demo_cors = Blueprint("demo_cors", __name__, url_prefix="/api/demo/cors", description="With a CORS policy")
cors(demo_cors, origins=["*"])

demo_no_cors = Blueprint(
    "demo_no_cors", __name__, url_prefix="/api/demo/no-cors", description="Without CORS, for comparison"
)

FILE = {"description": "A file", "content": {"image/png": {}, "font/ttf": {}}}


class HelloSchema(Schema):
    message = fields.String(required=True)


@demo_cors.route("/hello")
@demo_no_cors.route("/hello")
@demo_cors.response(200, HelloSchema)
def say_hello() -> dict[str, str]:
    """Say hello"""
    return {"message": "Hello, World!"}


@demo_cors.route("/assets/<name>")
@demo_no_cors.route("/assets/<name>")
@demo_cors.doc(responses={200: FILE})
def get_asset(name: str) -> Response:
    """Send the image cors.png or the font cors.ttf"""
    response = send_from_directory("demo_assets", name, max_age=3600)
    # every page may show the file, so that only CORS decides what a page can do with it
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
