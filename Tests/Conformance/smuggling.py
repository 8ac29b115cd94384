#!/usr/bin/env python3
"""What two readers could understand differently, straight at a service and through nginx.

Each stream hides a second request, `GET /smuggled`, where a wrong reader would find it. At a service the first answer
must be a refusal with the close of the connection. Behind nginx, which repairs some of it by design, the hidden request
must never be answered: no second answer, unless the stream honestly holds two requests.
"""
from wire import GATEWAY, PORTS, SERVICES, answers, case, exchange, main

HIDDEN = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def post(*lines, body=b"", target=b"/v1/auth/refresh", version=b"HTTP/1.1", host=b"Host: a\r\n"):
    return b"POST " + target + b" " + version + b"\r\n" + host + b"".join(l + b"\r\n" for l in lines) + b"\r\n" + body


CL, TE, CHUNKED = b"Content-Length: ", b"Transfer-Encoding: chunked", b"0\r\n\r\n" + HIDDEN
# name: (bytes, statuses a service may answer with)
REFUSED = {
    "length and chunked": (post(CL + b"5", TE, body=CHUNKED), {400}),
    "chunked and length": (post(TE, CL + b"5", body=CHUNKED), {400}),
    "xchunked": (post(b"Transfer-Encoding: xchunked", body=CHUNKED), {501}),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=CHUNKED), {501}),
    "chunked, identity": (post(b"Transfer-Encoding: chunked, identity", body=CHUNKED), {501}),
    "two codings": (post(TE, TE, body=CHUNKED), {400}),
    "a coding behind a vertical tab": (post(b"Transfer-Encoding:\x0bchunked", body=CHUNKED), {400}),
    "two lengths": (post(CL + b"0", CL + b"36", body=HIDDEN), {400}),
    "two equal lengths": (post(CL + b"0", CL + b"0", body=HIDDEN), {400}),
    "a list of lengths": (post(CL + b"0, 0", body=HIDDEN), {400}),
    "+0": (post(CL + b"+0", body=HIDDEN), {400}),
    "-1": (post(CL + b"-1", body=HIDDEN), {400}),
    "2^64": (post(CL + b"18446744073709551616", body=HIDDEN), {413}),
    "0x0": (post(CL + b"0x0", body=HIDDEN), {400}),
    "an empty length": (post(CL, body=HIDDEN), {400}),
    "a space before the colon of the length": (post(b"Content-Length : 36", body=HIDDEN), {400}),
    "a space before the colon of the coding": (post(b"Transfer-Encoding : chunked", body=CHUNKED), {400}),
    "a folded length": (post(b"Content-Length:\r\n 36", body=HIDDEN), {400}),
    "a folded coding": (post(b"Transfer-Encoding:\r\n\tchunked", body=CHUNKED), {400}),
    "a folded other header": (post(b"X: a\r\n b", CL + b"0", body=HIDDEN), {400}),
    "line ends with LF only": (b"POST /v1/auth/refresh HTTP/1.1\nHost: a\nContent-Length: 0\n\n" + HIDDEN, {400}),
    "one line end with LF only": (post(b"X: a\nContent-Length: 36", body=HIDDEN), {400}),
    "chunks that end with LF only": (post(TE, body=b"0\n\n" + HIDDEN), {400}),
    "a chunk extension that ends with LF only": (post(TE, body=b"0;a\n\r\n" + HIDDEN), {400}),
    "0x3 as a chunk's size": (post(TE, body=b"0x3\r\nabc\r\n" + CHUNKED), {400}),
    "a space behind a chunk's size": (post(TE, body=b"3 \r\nabc\r\n" + CHUNKED), {400}),
    "a chunk's size of 17 digits": (post(TE, body=b"10000000000000000\r\n" + CHUNKED), {413}),
    "a chunk that is longer than it says": (post(TE, body=b"3\r\nabcd\r\n" + CHUNKED), {400}),
    "a chunk without size": (post(TE, body=b"\r\n" + CHUNKED), {400}),
    "a trailer about framing": (post(TE, body=b"0\r\nContent-Length: 5\r\n\r\n" + HIDDEN), {400}),
    "a bare CR in a value": (post(b"X: a\rContent-Length: 36", body=HIDDEN), {400}),
    "NUL in a value": (post(b"X: a\0b", CL + b"0", body=HIDDEN), {400}),
    "NUL in the path": (post(CL + b"0", target=b"/v1/auth/refresh\0/..", body=HIDDEN), {400}),
    "%00 in the path": (post(CL + b"0", target=b"/v1/auth/refresh%00/..", body=HIDDEN), {400}),
    "a broken escape": (post(CL + b"0", target=b"/v1/%zz", body=HIDDEN), {400}),
    "a space in the path": (post(CL + b"0", target=b"/v1/auth refresh", body=HIDDEN), {400}),
    "no Host": (post(CL + b"0", host=b"", body=HIDDEN), {400}),
    "two Hosts": (post(b"Host: b", CL + b"0", body=HIDDEN), {400}),
    "HTTP/1.10": (post(CL + b"0", version=b"HTTP/1.10", body=HIDDEN), {400}),
    "HTTP/2.0": (post(CL + b"0", version=b"HTTP/2.0", body=HIDDEN), {505}),
    "a coding in HTTP/1.0": (post(TE, version=b"HTTP/1.0", body=CHUNKED), {400}),
    "an unknown method": (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN, {501}),
    "a method in lower case": (b"get / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN, {501}),
    "40 KB of header": (post(b"X: " + b"a" * 40960, CL + b"0", body=HIDDEN), {431}),
    "a path of 40 KB": (post(CL + b"0", target=b"/" + b"a" * 40960, body=HIDDEN), {414}),
    "2000 headers": (post(*[b"X: a"] * 2000, CL + b"0", body=HIDDEN), {431}),
    "a header without a name": (post(b": a", CL + b"0", body=HIDDEN), {400}),
    "a header without a colon": (post(b"X", CL + b"0", body=HIDDEN), {400}),
    "a first line that begins with a space": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n" + HIDDEN, {400}),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 60, {400}),
}


def straight(name, stream, expected):
    def run():
        got, closed, said = exchange(PORTS["auth"], stream)
        assert len(got) == 1 and got[0] in expected and closed, f"answered {got}, closed {closed}, expected {expected}"
        assert b"application/problem+json" in said, "the refusal is no problem document"
    run.__doc__ = f"{name}, at a service"
    case(run)


def through_nginx(name, stream):
    def run():
        got, _, said = exchange(GATEWAY, stream)
        # nginx answers a broken request line from another time, without a status line: then there is nothing to count.
        assert len(got) <= 1, f"the hidden request was answered: {got}"
        assert not any(status >= 500 and status not in (501, 505) for status in got), f"answered {got}"
        assert b"/smuggled" not in said
    run.__doc__ = f"{name}, through nginx"
    case(run)


# nginx understands these as we would not, but as a request of its own making goes on to the service, they are harmless:
# LF line ends and a 1.10 are read, a line without colon or a trailer is dropped, and what follows is honestly a second request.
HONEST = {"line ends with LF only", "chunks that end with LF only", "a chunk extension that ends with LF only",
          "a folded other header", "a space behind a chunk's size", "an unknown method", "a broken escape", "two equal lengths",
          "a trailer about framing", "HTTP/1.10", "a header without a colon"}
for _name, (_stream, _expected) in REFUSED.items():
    straight(_name, _stream, _expected)
    if _name not in HONEST:
        through_nginx(_name, _stream)


@case
def two_requests_are_two_answers():
    """two honest requests are two answers, in order, at a service and through nginx"""
    for port in (PORTS["auth"], GATEWAY):
        got, _, _ = exchange(port, b"GET /v1/users HTTP/1.1\r\nHost: a\r\n\r\nDELETE /v1/auth/login HTTP/1.1\r\nHost: a\r\n\r\n")
        assert got == [401, 405], f"answered {got} at {port}"


@case
def every_service_still_answers():
    """every service answers after all that"""
    for name in SERVICES:
        assert answers(PORTS[name], "/"), f"{name} is silent"


if __name__ == "__main__":
    main()
