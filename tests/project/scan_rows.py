"""Requests of a scanner with the expected status. None means that the connection is closed without a response."""

Row = tuple[bytes, int | None]

HELLO, LOGIN, FEEDBACK = b"/api/public/hello", b"/api/auth/login", b"/api/public/feedback"
PICTURE, FOLDER = b"/api/demo/cors/assets/cors.png", b"/api/demo/cors/assets"
OURS = b"Host: api.example.test"
COOKIE = b"Cookie: __Host-my_lab_api_session="
CHUNKED = b"Transfer-Encoding: chunked"


def get(
    target: bytes = HELLO, *headers: bytes, method: bytes = b"GET", host: bytes = OURS, version: bytes = b"HTTP/1.1"
) -> bytes:
    """Return a request after which the server closes the connection."""
    lines = [b" ".join((method, target, version)), *([host] if host else []), *headers, b"Connection: close"]
    return b"\r\n".join([*lines, b"", b""])


def post(body: bytes, *headers: bytes, target: bytes = LOGIN, content_type: bytes = b"application/json") -> bytes:
    """Return a request with a body."""
    body_headers = (b"Content-Type: " + content_type, b"Content-Length: %d" % len(body))
    return get(target, *body_headers, *headers, method=b"POST") + body


def login(*headers: bytes, rest: bytes = b"") -> bytes:
    """Return a sign-in request with headers for the length of its body."""
    return get(LOGIN, b"Content-Type: application/json", *headers, method=b"POST") + rest


METHODS: dict[str, Row] = {
    "TRACE": (get(method=b"TRACE"), 405),
    "TRACK": (get(method=b"TRACK"), 405),
    "DEBUG": (get(method=b"DEBUG"), 405),
    "CONNECT": (get(b"evil.example:443", method=b"CONNECT"), 404),
    "PROPFIND of everything": (get(b"/", method=b"PROPFIND"), 404),
    "a method that is not a token": (get(method=b"G(T"), 400),
    "a method of 5000 letters": (get(method=b"X" * 5000), 405),
    "a method in a header": (get(HELLO, b"X-HTTP-Method-Override: DELETE"), 200),
    "HTTP/0.9": (b"GET " + HELLO + b"\r\n\r\n", 400),
    "HTTP/1.0": (get(version=b"HTTP/1.0"), 200),
    "HTTP/3.0": (get(version=b"HTTP/3.0"), 400),
    "HTTP/2 without an upgrade": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", None),
    "TLS": (bytes.fromhex("160301020001"), 400),
    "another protocol": (b"HELO x\r\n\r\n", 400),
    "no protocol": (b"\x00\x01\x02\x03\r\n\r\n", 400),
}

HOSTS: dict[str, Row] = {
    "our host": (get(), 200),
    "our host with a port": (get(host=OURS + b":1234"), 200),
    "no host": (get(host=b""), 400),
    "no host in HTTP/1.0": (get(host=b"", version=b"HTTP/1.0"), 400),
    "an empty host": (get(host=b"Host:"), 400),
    "another host": (get(host=b"Host: evil.example"), 400),
    "our host and another": (get(HELLO, b"Host: evil.example"), 400),
    "our host twice": (get(HELLO, OURS), 400),
    "another host as X-Forwarded-Host": (get(HELLO, b"X-Forwarded-Host: evil.example"), 200),
    "user information before a host": (get(host=OURS + b"@evil.example"), 400),
    "user information behind a port": (get(host=OURS + b":@evil.example"), 400),
    "an invalid port": (get(host=OURS + b":99999"), 400),
    "a trailing dot": (get(host=OURS + b"."), 400),
    "a space in a host": (get(host=OURS + b" evil"), 400),
    "a host in UTF-8": (get(host="Host: äpi.example".encode()), 400),
    "an address of our host": (get(b"http://api.example.test" + HELLO), 200),
    "an address of another host": (get(b"http://evil.example" + HELLO, host=b"Host: evil.example"), 400),
}

PATHS: dict[str, Row] = {
    "two slashes": (get(b"//api//public//hello"), 404),
    "another host as a path": (get(b"//evil.example/%2f.."), 404),
    "another host behind a backslash": (get(b"/\\evil.example//"), 404),
    "a parent folder": (get(FOLDER + b"/../../__init__.py"), 404),
    "a parent folder, encoded": (get(FOLDER + b"/%2e%2e/%2e%2e/__init__.py"), 404),
    "encoded slashes": (get(FOLDER + b"/..%2f..%2f__init__.py"), 404),
    "slashes encoded twice": (get(FOLDER + b"/..%252f..%252fconfig.py"), 404),
    "backslashes": (get(FOLDER + b"/..\\..\\config.py"), 404),
    "encoded backslashes": (get(FOLDER + b"/..%5c..%5cconfig.py"), 404),
    "a parameter of a segment": (get(b"/api/..;/health/live"), 404),
    "NUL": (get(b"/api/public/\x00hello"), 400),
    "encoded NUL": (get(PICTURE + b"%00.txt"), 404),
    "overlong UTF-8 for a dot": (get(FOLDER + b"/%c0%ae%c0%ae/config.py"), 404),
    "overlong UTF-8 for a slash": (get(FOLDER + b"/..%c0%af..%c0%afconfig.py"), 404),
    "invalid UTF-8, encoded": (get(b"/api/public/%ff%fe"), 404),
    "a byte that is not UTF-8": (get(b"/api/public/\xff"), 400),
    "an invalid percent encoding": (get(b"/api/public/%zz%"), 404),
    "a path of 200,000 letters": (get(b"/" + b"a" * 200_000), 431),
    "a query of 50,000 letters": (get(HELLO + b"?" + b"a=1&" * 12_500), 200),
    "numbers that are too large": (get(b"/api/notes?page=99999999999999999999&page_size=-1"), 401),
    "an asterisk": (get(b"*", method=b"OPTIONS"), 404),
    "no slash": (get(b"api/public/hello"), 400),
    "a space": (get(b"/api/public/he llo"), 400),
    "a fragment": (get(HELLO + b"#x"), 200),
    "no path": (b"GET  HTTP/1.1\r\n" + OURS + b"\r\n\r\n", 400),
}

HEADERS: dict[str, Row] = {
    "a line break in a path": (get(b"/api/public/%0d%0aX-Injected:%201"), 404),
    "a line break after two slashes": (get(b"/api//public/hello?%0d%0aX-Injected:%201"), 404),
    "a line break in an id": (get(HELLO, b"X-Request-ID: a%0d%0aX-Injected: 1"), 200),
    "LF alone": (get(HELLO, b"X-Request-ID: a\nX-Injected: 1"), 200),
    "CR alone": (get(HELLO, b"X-Request-ID: a\rX-Injected: 1"), 400),
    "a folded line": (get(HELLO, b"X-A: b\r\n c"), 400),
    "a space before the colon": (get(HELLO, b"X-A : b"), 400),
    "no colon": (get(HELLO, b"X-A"), 400),
    "no name": (get(HELLO, b": b"), 400),
    "NUL in a header": (get(HELLO, b"X-A: a\x00b"), 400),
    "invalid UTF-8 in headers": (get(HELLO, b"X-A: \xff", b"Origin: \xff", b"Accept: \xff"), 200),
    "a header of 200,000 letters": (get(HELLO, b"X-A: " + b"a" * 200_000), 431),
    "a name of 200,000 letters": (get(HELLO, b"X" * 200_000 + b": a"), 431),
    "120 headers": (get(HELLO, *[b"X-%d: a" % number for number in range(120)]), 431),
    "a cookie with an invalid signature": (get(b"/api/auth/me", COOKIE + b"eyJrZXkiOiJhIn0.aaaaaa." + b"b" * 27), 401),
    "a cookie of 30,000 letters": (get(b"/api/auth/me", COOKIE + b"a" * 30_000), 401),
    "invalid cookies": (get(b"/api/auth/me", COOKIE + b"\xff;;;=;a=b=c; $Version=1"), 401),
    "a range": (get(PICTURE, b"Range: bytes=0-9"), 206),
    "a range behind the end": (get(PICTURE, b"Range: bytes=9999999-"), 416),
    "an invalid range": (get(PICTURE, b"Range: bytes=a-b,c"), 416),
    "1000 ranges": (get(PICTURE, b"Range: bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(1000))), 416),
    "an expectation": (post(b"{}", b"Expect: 200-maybe"), 422),
}

BODIES: dict[str, Row] = {
    "100,000 brackets": (post(b"[" * 100_000), 400),
    "20,000 nested objects": (post(b'{"a":' * 20_000 + b"1" + b"}" * 20_000), 400),
    "a number that is too large": (post(b'{"username": 1e999999}'), 422),
    "10,000 digits": (post(b'{"username": ' + b"9" * 10_000 + b"}"), 400),
    "not a number": (post(b'{"username": NaN}'), 400),
    "half a character": (post(b'{"username": "\\ud800"}'), 422),
    "NUL in a text": (post(b'{"username": "a\\u0000b", "password": "x"}'), 422),
    "invalid UTF-8": (post(b'{"username": "\xff"}'), 400),
    "UTF-16": (post('{"username": "a"}'.encode("utf-16")), 422),
    "a list": (post(b"[]"), 422),
    "null": (post(b"null"), 422),
    "nothing": (post(b""), 400),
    "10,000 unknown names": (post(b"{" + b",".join(b'"%d":1' % n for n in range(10_000)) + b"}"), 422),
    "10,000 fields of a form": (
        post(b"a=1&" * 10_000, target=FEEDBACK, content_type=b"application/x-www-form-urlencoded"),
        422,
    ),
    "20,000 parts": (post(b"--x\r\n" * 20_000, target=FEEDBACK, content_type=b"multipart/form-data; boundary=x"), 422),
    "parts without a boundary": (post(b"--x\r\n", target=FEEDBACK, content_type=b"multipart/form-data"), 422),
    "no media type": (post(b"{}", content_type=b'/;="'), 415),
    "zipped": (post(b"\x1f\x8b", b"Content-Encoding: gzip"), 415),
    "one byte more than 1 MiB": (post(b" " * (2**20 + 1)), 413),
    "JSON over its limit, in chunks, is cut off": (
        login(CHUNKED, rest=b"8000\r\n" + b" " * 2**15 + b"\r\n" + b"20000\r\n" + b" " * 2**17 + b"\r\n0\r\n\r\n"),
        400,
    ),
    "a text of more than 1 MiB": (post(b" " * (2**20 + 1), target=FEEDBACK, content_type=b"text/plain"), 413),
    "a length of a terabyte": (login(b"Content-Length: 1099511627776"), 413),
}

LENGTHS: dict[str, Row] = {
    "a length and chunks": (login(b"Content-Length: 4", CHUNKED, rest=b"0\r\n\r\n" + get(b"/smuggled")), 400),
    "a body of a GET": (get(HELLO, b"Content-Length: 4") + b"abcd" + get(b"/smuggled"), 200),
    "two lengths": (login(b"Content-Length: 2", b"Content-Length: 3", rest=b"{}x"), 400),
    "a list of lengths": (login(b"Content-Length: 2, 2", rest=b"{}"), 400),
    "a negative length": (login(b"Content-Length: -1"), 400),
    "a length with a sign": (login(b"Content-Length: +2", rest=b"{}"), 400),
    "a length in hexadecimal": (login(b"Content-Length: 0x2", rest=b"{}"), 400),
    "a length of 23 digits": (login(b"Content-Length: 99999999999999999999999"), 400),
    "a length with an underscore": (login(b"Content_Length: 2", rest=b"{}"), 400),
    "chunks": (login(CHUNKED, rest=b"2\r\n{}\r\n0\r\n\r\n"), 422),
    "chunks of a GET": (get(HELLO, CHUNKED) + b"0\r\n\r\n", 200),
    "chunks in HTTP/1.0": (get(LOGIN, CHUNKED, method=b"POST", version=b"HTTP/1.0") + b"0\r\n\r\n", 400),
    "a chunk of no size": (login(CHUNKED, rest=b"ZZ\r\nx\r\n0\r\n\r\n"), 400),
    "a chunk that is too large": (login(CHUNKED, rest=b"f" * 20 + b"\r\nx\r\n0\r\n\r\n"), 400),
    "another transfer coding": (login(b"Transfer-Encoding: identity"), 400),
    "a coding after chunks": (login(b"Transfer-Encoding: chunked, identity"), 400),
    "almost chunks": (login(b"Transfer-Encoding: xchunked"), 400),
    "chunks behind a space": (login(b"Transfer-Encoding : chunked", rest=b"0\r\n\r\n"), 400),
    "chunks behind LF": (login(b"X-A: b\nTransfer-Encoding: chunked", rest=b"0\r\n\r\n"), 400),
}

ROWS = METHODS | HOSTS | PATHS | HEADERS | BODIES | LENGTHS
