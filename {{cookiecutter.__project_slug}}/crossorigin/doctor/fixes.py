"""Find what to write, and where, so that a browser allows a blocked request."""

from urllib.parse import urlsplit

from flask import Flask

from . import browser, no_cors
from .answered import API_IS_DOWN, By, find_skip_header, fix_in_front, fix_moved, fix_other_server
from .browser import Request, Response, Step, get_header
from .edits import Fix, change_call, change_page, join
from .other_layers import fix_other_layer, list_needed
from .own_fixes import OwnFixes

NEVER_FROM_APP = {"CORSMultipleAllowOriginNotAllowed", "CORSPreflightDidNotSucceed"}
NEVER_FROM_APP |= {"CORSInvalidAllowMethod", "CORSInvalidAllowHeader"}
LOCAL_NETWORK = Fix("open the page over https or in the API's network, and allow what the browser asks for")
NO_SUCH_METHOD = change_call("another method; browsers do not send this one")
SEE_FRONT = "If it still fails, check what changes its headers in front of it"
WITH_COOKIES = "withCredentials: true (axios), credentials: 'include' (fetch)"


class Fixes:
    """Find fixes for the requests to an application, or to another server if `app` is None."""

    def __init__(self, app: Flask | None) -> None:
        self.given = app
        self.own = OwnFixes(app or Flask("none"))
        self.app, self.policies = self.own.app, self.own.policies

    def find(self, failed: Step, request: Request, response: Response | None, by: By | None) -> Fix:
        """Return what to write, and where, for the step at which the browser stops."""
        if failed.reason is None:
            return self._fix_no_cors(request, response, by) if request.mode == "no-cors" else NO_SUCH_METHOD
        if response is None:
            return self._fix_unsent(request)
        is_preflight, location = "response" not in failed.step, get_header(response, "Location")
        if location is not None and failed.reason in ("CORSDidNotSucceed", "CORSRequestNotHttp"):
            return Fix(f"in the server that answers at {request.url}: remove the redirect to {location}")
        if moved := fix_moved(request, response):
            return moved if by == "other" else self.add_own(moved, request)
        if by == "other":
            needed = list_needed(request, response, is_preflight)
            return fix_other_server(self.given, request, response, needed, is_preflight)
        if by == "proxy":
            return self.fix_in_front(request, response, is_preflight)
        path = urlsplit(request.url).path
        if not self.policies.in_use:
            return fix_other_layer(self.app, self.own.find_endpoint(path), failed, request, response)
        policy, own = self.policies.find(path), join(self.own.find(request))
        if failed.reason in NEVER_FROM_APP:
            return Fix(f"run curl -i {request.url} to see who answers. This API does not answer like this")
        place = f"its policy ({policy.place})" if policy else "it"
        return own if own.text else Fix(f"restart the API: {place} allows this request. {SEE_FRONT}")

    def find_for_status(self, request: Request, status: int | None, response: Response, by: By) -> Fix | None:
        """Return what to do about an error that the page can read."""
        path, names = urlsplit(request.url).path, {name.lower() for name, _ in request.headers}
        if by == "proxy" and status in API_IS_DOWN | {401, 413}:
            return self.fix_in_front(request, response, is_preflight=False)
        policy, guarded = self.policies.find(path), self.own.is_guarded(path)
        is_unsigned = status == 401 or (status is None and guarded)
        cookies = request.credentials or browser.is_same_origin(request.url, request.origin)
        if by != "app" or not is_unsigned or cookies or "authorization" in names:
            return None
        if policy and (policy.credentials or (guarded and not policy.any_origin)):
            page = change_call(f"{WITH_COOKIES} for the session cookie", credentials=True)
            return join([page, *self.own.find(request._replace(credentials=True))])
        text = "a token in the header Authorization; the view requires a sign-in"
        return change_call(text) if guarded else None

    def _fix_no_cors(self, request: Request, response: Response | None, by: By | None) -> Fix:
        if browser.is_forbidden_method(request.method):
            return NO_SUCH_METHOD
        if response and by == "other":
            return fix_other_server(self.given, request, response, {no_cors.POLICY: ["cross-origin"]})
        text = "in the page: use CORS (the attribute crossorigin, or fetch without mode: 'no-cors')"
        if response and not self.policies.in_use:
            text += f"; or send {no_cors.POLICY}: cross-origin with the response"
        return self.add_own(change_page(text, mode="cors"), request._replace(mode="cors"))

    def fix_in_front(self, request: Request, response: Response, is_preflight: bool) -> Fix:
        """Return what to do about a response of a server in front of the application."""
        skip = None if is_preflight else find_skip_header(request, response)
        if skip is None:
            return self.add_own(fix_in_front(request, response, is_preflight), request)
        moved = request._replace(headers=(*request.headers, (skip, "1")))
        text = f"the header {skip}: 1, which skips the warning page of the tunnel"
        return self.add_own(change_call(text, headers={skip: "1"}), moved)

    def add_own(self, fix: Fix, request: Request) -> Fix:
        """Add the changes that the policies need, so that the request is allowed after both."""
        if not self.policies.in_use or browser.is_same_origin(request.url, request.origin):
            return fix
        own = join(self.own.find(request))
        return Fix(f"{fix.text}. Then {own.text}", fix.edits + own.edits) if own.text else fix

    def _fix_unsent(self, request: Request) -> Fix:
        if not browser.is_mixed_content(request):
            return LOCAL_NETWORK
        https, setting = f"https://{urlsplit(request.url).netloc}", self.own.hints.frontend_api_url_setting
        if not setting:
            return Fix(f"serve the API over https, and call {https}")
        return Fix(f"serve the API over https; {self.own.set_setting(setting, https).text}")
