"""Blueprint `docs`: the interactive API documentation. All its files come from this server."""

import secrets
from importlib.resources import files

from flask import Blueprint, Response, json, make_response, request

SWAGGER_UI = str(files("flask_swagger_ui") / "dist")
docs = Blueprint("docs", __name__, url_prefix="/api/docs", static_folder=SWAGGER_UI, static_url_path="")
# its URLs are relative, because a proxy may serve the API below a path
HTML = """<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>API documentation</title>
  <link rel="stylesheet" href="{api}/docs/swagger-ui.css">
  <link rel="icon" href="{api}/docs/favicon-32x32.png">
  <div id="swagger-ui"></div>
  <script src="{api}/docs/swagger-ui-bundle.js"></script>
  <script nonce="{nonce}">SwaggerUIBundle({options})</script>
</html>
"""
# Swagger UI writes style attributes and draws its icons from data: URLs
CSP = (
    "default-src 'self'; script-src 'self' 'nonce-{}'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; frame-ancestors 'none'"
)


@docs.get("")
def get_docs() -> Response:
    api = ".." if request.path.endswith("/") else "."
    nonce = secrets.token_urlsafe(16)
    options = json.dumps({"dom_id": "#swagger-ui", "url": f"{api}/openapi.json"})
    response = make_response(HTML.format(api=api, nonce=nonce, options=options))
    response.headers["Content-Security-Policy"] = CSP.format(nonce)
    return response
