"""Blueprint `docs`: the interactive documentation, with no file from anybody else's server."""

import importlib.util
import json
from pathlib import Path

from flask import Blueprint, Response, make_response, send_from_directory, url_for

docs = Blueprint("docs", __name__, url_prefix="/api/docs")

spec = importlib.util.find_spec("flask_swagger_ui")
SWAGGER_UI = Path(spec.origin).parent / "dist" if spec and spec.origin else Path()
PAGE = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>API documentation</title>
  <link rel="stylesheet" href="{docs}/swagger-ui.css">
  <link rel="icon" href="{docs}/favicon-32x32.png">
  <div id="swagger-ui"></div>
  <script src="{docs}/swagger-ui-bundle.js"></script>
  <script src="{docs}/start.js"></script>
</html>
"""
# Swagger UI writes style attributes and draws its icons from data: URLs; scripts are files only
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"


@docs.get("")
def page() -> Response:
    response = make_response(PAGE.format(docs=url_for("docs.page")))
    response.headers["Content-Security-Policy"] = POLICY
    return response


@docs.get("/start.js")
def start() -> Response:
    options = {"dom_id": "#swagger-ui", "url": url_for("api-docs.openapi_json")}
    response = make_response(f"SwaggerUIBundle({json.dumps(options)})")
    response.mimetype = "text/javascript"
    return response


@docs.get("/<name>")
def asset(name: str) -> Response:
    return send_from_directory(SWAGGER_UI, name)
