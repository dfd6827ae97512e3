"""Extensions, created once and bound to each application by `create_app`."""

import re
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network

from crossorigin import is_dry_run
from flask import request
from flask_limiter import Limiter

from .api import Api
from .database import Database
from .errors import rate_limit_response


def get_client_network() -> str:
    """Return the client's IPv4 address without its port, or its /64 network of IPv6 (RFC 6177)."""
    address = re.sub(r"^\[(.*)\](:\d+)?$|^([^:]*):\d+$", r"\1\3", request.remote_addr or "unknown")
    with suppress(ValueError):
        ip = IPv6Address(address)
        return str(ip.ipv4_mapped or IPv6Network((int(ip), 64), strict=False))
    return address


db = Database()
# If Redis fails, each process counts in memory. If two requests fail at once, one is not counted.
limiter = Limiter(
    get_client_network, in_memory_fallback_enabled=True, swallow_errors=True, on_breach=rate_limit_response
)
limiter.request_filter(is_dry_run)
api = Api()
