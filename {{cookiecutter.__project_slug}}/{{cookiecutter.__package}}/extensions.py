"""The extensions, made once and bound to each application by `create_app`."""

import re
from ipaddress import IPv4Address, IPv6Network, ip_address

from crossorigin import is_dry_run
from flask import request
from flask_limiter import Limiter

from .api import Api
from .database import Database
from .errors import rate_limit_response


def get_client_network() -> str:
    """Return the key of address limits: an IPv4 address, or the /64 network of an IPv6 address.

    One customer has a whole /64 network (RFC 6177). Some proxies add the port of the client.
    """
    address = request.remote_addr or ""
    if found := re.fullmatch(r"\[(.*)\](?::\d+)?|([^:]*):\d+", address):
        address = found[1] or found[2]
    try:
        ip = ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(ip, IPv4Address):
        return str(ip)
    return str(ip.ipv4_mapped or IPv6Network((int(ip), 64), strict=False))


db = Database()
# While Redis is away, each process counts in its memory. A request that meets the failure at the same
# moment as another is let through and logged.
limiter = Limiter(
    get_client_network,
    in_memory_fallback_enabled=True,
    swallow_errors=True,
    on_breach=rate_limit_response,
)
limiter.request_filter(is_dry_run)
api = Api()
