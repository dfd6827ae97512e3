"""Requests of a page to an API, one a line: page, method, server, path, cookies or not, headers."""

from typing import NamedTuple

# pages: "mine" is allowed by the API, "numeric" is the same page on 127.0.0.1, "other" has another port,
# "api" has the origin of the API, "null" has the origin null
OF_THE_APP = """
mine    GET      app /api/public/hello
other   GET      app /api/public/hello
null    GET      app /api/public/hello
api     GET      app /api/public/hello
mine    HEAD     app /api/public/hello
mine    GET      app /api/public/hello        cookies
other   GET      app /api/public/hello        cookies
mine    GET      app /api/public/hello        -       X-Lab: 1
mine    PUT      app /api/public/hello
other   POST     app /api/public/echo         -       Content-Type: application/json
null    POST     app /api/public/echo         -       Content-Type: application/json
mine    POST     app /api/public/echo         cookies Content-Type: application/json
mine    POST     app /api/public/feedback     -       Content-Type: text/plain
mine    POST     app /api/public/feedback     -       Content-Type: text/plain; charset="utf-8"
other   GET      app /api/demo/cors/assets/cors.png
other   GET      app /api/demo/cors/assets/cors.png -    Range: bytes=0-9
other   GET      app /api/demo/cors/assets/cors.png -    Range: bytes=-9
mine    GET      app /api/public/nothing
mine    GET      app /api/notes               cookies
mine    GET      app /api/notes
mine    GET      app /api/notes/              cookies
mine    GET      app /api/notes/no-number     cookies
other   GET      app /api/notes               cookies
numeric GET      app /api/notes               cookies
null    GET      app /api/notes               cookies
api     GET      app /api/notes               cookies
api     PUT      app /api/notes/1             cookies Content-Type: application/json | X-Lab: 1
mine    POST     app /api/notes               cookies Content-Type: application/json
other   POST     app /api/notes               cookies Content-Type: application/json
numeric POST     app /api/notes               cookies Content-Type: application/json
mine    POST     app /api/notes               cookies
mine    PUT      app /api/notes/1             cookies Content-Type: application/json | If-Match: "1"
mine    put      app /api/notes/1             cookies Content-Type: application/json
mine    PATCH    app /api/notes/1             cookies Content-Type: application/json
mine    patch    app /api/notes/1             cookies Content-Type: application/json
mine    DELETE   app /api/notes/1             cookies If-Match: "1"
mine    delete   app /api/notes               cookies
mine    PROPFIND app /api/notes               cookies
mine    OPTIONS  app /api/notes               cookies
mine    TRACE    app /api/notes               cookies
mine    GET      app /api/notes               cookies X-Lab: 1
mine    GET      app /api/notes               cookies Authorization: Bearer lab
mine    GET      app /api/notes               cookies Accept: application/json
mine    GET      app /api/notes               cookies Accept: (lab)
mine    GET      app /api/notes               cookies Cookie: a=b | Sec-Lab: 1 | DNT: 1
mine    POST     app /api/notes               cookies X-HTTP-Method-Override: DELETE
mine    POST     app /api/auth/login          cookies Content-Type: application/json
mine    POST     app /api/auth/login          cookies Content-Type: text/plain
mine    GET      app /api/auth/me             cookies
mine    DELETE   app /api/auth/me             cookies
other   POST     app /api/dev/explain         -       Content-Type: application/json
mine    GET      app /health/live
api     GET      app /health/live
mine    GET      app /api/openapi.json
mine    PUT      app /nowhere                 -       Content-Type: application/json
mine    GET      app /api/notes-internal      cookies
"""
BROKEN = """
mine    GET      127 /api/notes               cookies
other   GET      broken /naive/notes          cookies
other   POST     broken /naive/notes          cookies Content-Type: application/json | X-Lab: 1
null    PUT      broken /naive/notes          cookies
other   GET      broken /naive/slash          cookies
other   PUT      broken /naive/slash          cookies
other   GET      broken /naive/nothing        cookies
other   GET      broken /naive/error          cookies
other   PATCH    broken /naive/notes          cookies
other   patch    broken /naive/notes          cookies
other   GET      broken /any_origin/notes
other   GET      broken /any_origin/notes     cookies
other   GET      broken /any_origin/notes     -       Authorization: Bearer lab | X-Lab: 1
other   GET      broken /reflecting/notes     cookies
other   POST     broken /reflecting/notes     cookies Content-Type: application/json
other   POST     broken /reflecting/notes     cookies Content-Type: application/json | X-Lab: 1
other   GET      broken /reflecting/nothing   cookies
other   GET      broken /reflecting/error     cookies
other   PUT      broken /reflecting/nothing   cookies Content-Type: application/json
other   PATCH    broken /reflecting/notes     cookies
other   PUT      broken /asterisk/notes
other   GET      broken /asterisk/notes       cookies
other   PUT      broken /asterisk/notes       cookies X-Lab: 1
other   GET      broken /one_blueprint/lab/notes
other   PUT      broken /one_blueprint/lab/notes -    Content-Type: application/json
other   GET      broken /one_blueprint/lab/nothing
other   PUT      broken /one_blueprint/lab/nothing
other   POST     broken /one_blueprint/lab/error
mine    GET      broken /guarded/notes        cookies
mine    PUT      broken /guarded/notes        cookies Content-Type: application/json
mine    GET      broken /guarded/notes        cookies Authorization: Basic YTpi
mine    GET      broken /closed/notes
mine    PUT      broken /closed/notes         -       Content-Type: application/json
mine    PUT      broken /to_https/notes
mine    GET      broken /to_https/notes
mine    GET      doubling /api/notes          cookies
mine    GET      doubling /api/public/hello
other   GET      doubling /health/live
mine    PUT      doubling /api/notes/1        cookies Content-Type: application/json
mine    GET      silent /api/notes            cookies
mine    PUT      silent /api/notes/1          cookies Content-Type: application/json
mine    PUT      refusing /api/notes/1        cookies Content-Type: application/json
mine    POST     refusing /api/public/feedback -      Content-Type: text/plain
mine    PUT      generous /api/notes/1        cookies Content-Type: application/json
mine    PUT      generous /api/notes/1        -       Content-Type: application/json
mine    OPTIONS  generous /api/notes/1        -       Content-Type: application/json
mine    GET      secure /api/notes            cookies
mine    PUT      secure /api/notes/1          cookies
mine    GET      alone /api/notes             cookies
mine    PUT      alone /api/notes/1           cookies
mine    GET      dead /api/notes              cookies
mine    PUT      dead /api/notes/1            cookies
mine    GET      tls /api/public/hello
mine    GET      untrusted /
mine    GET      invalid /api/public/hello
mine    GET      script /empty
mine    GET      script /two
mine    GET      script /null
null    GET      script /null                 cookies
mine    GET      script /capital              cookies
mine    PUT      script /methods
mine    GET      script /names                -       X-Lab: 1
mine    PUT      script /literal
mine    PUT      script /literal              cookies
mine    PUT      script /elsewhere
mine    PUT      script /there
mine    PUT      script /299
mine    GET      script /304                  cookies
mine    GET      script /to-hello
mine    GET      script /to-hello             cookies
mine    GET      script /to-notes             cookies
mine    GET      script /to-page
mine    GET      script /to-itself
mine    GET      script /redirects-20
mine    GET      script /redirects-21
mine    GET      script /to-mail
mine    GET      script /to-user
mine    GET      script /to-nothing
mine    GET      script /to-echo              -       Authorization: Bearer lab
mine    POST     script /to-echo              -       Content-Type: application/json
mine    PUT      script /to-echo-307          -       Content-Type: application/json
mine    POST     script /to-echo-307          -       Content-Type: application/json
mine    POST     script /to-hello-303         -       Content-Type: application/json
mine    GET      script /closing
"""


OPEN = "Origin: PAGE | Credentials: true"
# replies of the server "script" to a preflight and to other requests. PAGE and API are origins, NAMED is the origin
# of the API with a user name
SCRIPTS = {
    "/empty": ((200, OPEN), (200, "Origin: ")),
    "/two": ((200, OPEN), (200, "Origin: PAGE, http://localhost")),
    "/null": ((200, OPEN), (200, "Origin: null | Credentials: true")),
    "/capital": ((200, OPEN), (200, "Origin: PAGE | Credentials: True")),
    "/methods": ((204, f"{OPEN} | Methods: GET;PUT"), (200, OPEN)),
    "/names": ((204, f"{OPEN} | Headers: x-lab;x-other"), (200, OPEN)),
    "/literal": ((200, f"{OPEN} | Methods: *"), (200, OPEN)),
    "/elsewhere": ((302, f"{OPEN} | Location: API/api/public/hello"), (200, OPEN)),
    "/there": ((307, f"{OPEN} | Location: /299"), (200, OPEN)),
    "/299": ((299, f"{OPEN} | Methods: PUT"), (299, f"{OPEN} | X-Lab: 1 | Expose: *, ETag | ETag: x")),
    "/304": ((200, OPEN), (304, f"{OPEN} | ETag: x | Expose: ETag")),
    "/to-hello": ((200, OPEN), (302, f"{OPEN} | Location: API/api/public/hello")),
    "/to-hello-303": ((204, f"{OPEN} | Headers: content-type"), (303, f"{OPEN} | Location: API/api/public/hello")),
    "/to-notes": ((200, OPEN), (302, f"{OPEN} | Location: API/api/notes")),
    "/to-echo": ((204, f"{OPEN} | Headers: *, Authorization"), (302, f"{OPEN} | Location: API/api/public/echo")),
    "/to-echo-307": ((204, f"{OPEN} | Methods: PUT | Headers: *"), (307, f"{OPEN} | Location: API/api/public/echo")),
    "/to-page": ((200, OPEN), (302, f"{OPEN} | Location: PAGE/")),
    "/to-itself": ((200, OPEN), (302, f"{OPEN} | Location: /to-itself")),
    "/to-mail": ((200, OPEN), (302, f"{OPEN} | Location: mailto:ada@example.com")),
    "/to-user": ((200, OPEN), (302, f"{OPEN} | Location: NAMED/api/public/hello")),
    "/to-nothing": ((200, OPEN), (302, OPEN)),
    "/closing": ((200, OPEN), (0, "")),
    "/redirects-0": ((200, OPEN), (200, OPEN)),
}
SCRIPTS |= {f"/redirects-{n}": ((200, OPEN), (302, f"{OPEN} | Location: /redirects-{n - 1}")) for n in range(1, 22)}


class Situation(NamedTuple):
    """A request of a page. The number makes its URL unique, so that no cached preflight is used."""

    number: int
    page: str
    method: str
    server: str
    path: str
    credentials: bool
    headers: tuple[str, ...]

    def __str__(self) -> str:
        """Return the line in the table."""
        cookies = "cookies " * self.credentials + " | ".join(self.headers)
        return f"{self.page} {self.method} {self.server} {self.path} {cookies}".strip()


def parse_situations(table: str) -> list[Situation]:
    """Return the situations of a table."""
    found: list[Situation] = []
    for line in table.split("\n"):
        if line:
            page, method, server, path, *rest = line.split(maxsplit=5)
            headers = tuple(rest[1].split(" | ")) if rest[1:] else ()
            found.append(Situation(len(found), page, method, server, path, rest[:1] == ["cookies"], headers))
    return found


SITUATIONS = parse_situations(OF_THE_APP + BROKEN)
