"""Blueprint `closed`: two views of `public` once more, but without cors(…).

It is the counter-proof: whatever a page may do with `public` and not with this, it may by CORS alone.
"""

from .api import Blueprint
from .public import asset, hello

closed = Blueprint("closed", __name__, url_prefix="/api/closed", description="The same without a CORS policy")

closed.route("/hello")(hello)
closed.route("/assets/<name>")(asset)
