#!/usr/bin/env python3
"""RFC 6455 at /v1/notifications/live: handshakes, frames, fragments, closing, and what must be refused.

Frames are made by hand, so that wrong ones can be; `websockets` is the honest client beside it.
"""
import asyncio
import base64
import os
import struct

import websockets
from wsproto.utilities import generate_accept_token

from wire import GATEWAY, PORTS, Clinic, answers, case, connect, everything, main, named, statuses

PORT, PATH = PORTS["notifications"], "/v1/notifications/live"
TOKEN = Clinic().as_("reception").token
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MALFORMED = object()


def handshake(port=PORT, drop=(), method="GET", version="HTTP/1.1", **changed):
    """A socket, what the server said to the handshake, and the key: headers can be changed or dropped."""
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {"Host": "a", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": key, "Authorization": f"Bearer {TOKEN}"}
    headers.update({name.replace("_", "-"): value for name, value in changed.items()})
    lines = [f"{method} {PATH} {version}"] + [f"{n}: {v}" for n, v in headers.items() if n not in drop]
    sock = connect(port)
    sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    said = b""
    while b"\r\n\r\n" not in said:
        part = sock.recv(4096)
        if not part:
            break
        said += part
    return sock, said, key


def refused(status, **changed):
    sock, said, _ = handshake(**changed)
    sock.close()
    assert statuses(said) == [status], f"answered {statuses(said)}, expected {status}"


def frame(opcode, payload=b"", fin=True, masked=True, rsv=0, length=None):
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    size = len(payload) if length is None else length
    mark = 0x80 if masked else 0
    head = bytes([first, mark | size]) if size < 126 else (
        bytes([first, mark | 126]) + struct.pack(">H", size) if size < 65536 else bytes([first, mark | 127]) + struct.pack(">Q", size))
    mask = os.urandom(4) if masked else b""
    return head + mask + (bytes(b ^ mask[i % 4] for i, b in enumerate(payload)) if masked else payload)


def frames(said):
    """Unmasked frames of the server: [(opcode, payload)]."""
    found = []
    while len(said) >= 2:
        size, at = said[1] & 0x7F, 2
        if size == 126:
            size, at = struct.unpack(">H", said[2:4])[0], 4
        found.append((said[0] & 15, said[at:at + size]))
        assert not said[1] & 0x80, "a server masks nothing"
        said = said[at + size:]
    return found


def talk(*sent, seconds=1.0, port=PORT):
    """What the server says to these frames: its frames, and whether it closed."""
    sock, said, _ = handshake(port)
    assert statuses(said) == [101], said
    with sock:
        try:
            for part in sent:
                sock.sendall(part)
        except OSError:
            pass
        rest, closed = everything(sock, seconds)
    return frames(said.partition(b"\r\n\r\n")[2] + rest), closed


def closes(code, *sent):
    got, closed = talk(*sent, seconds=8)
    codes = [struct.unpack(">H", p[:2])[0] if p else None for o, p in got if o == CLOSE]
    # wslay drops a client whose control frame is malformed without a word, which RFC 6455 7.1.7 allows.
    assert closed and (codes == [code] or (code is MALFORMED and codes in ([], [None], [1002]))), f"close codes {codes}, closed {closed}, expected {code}"


for _name, _status, _changed in (
    ("no token", 401, {"drop": ("Authorization",)}),
    ("a wrong token", 401, {"Authorization": "Bearer x.y.z"}),
    ("no key", 400, {"drop": ("Sec-WebSocket-Key",)}),
    ("a short key", 400, {"Sec_WebSocket_Key": "c2hvcnQ="}),
    ("a key that is no base64", 400, {"Sec_WebSocket_Key": "!" * 24}),
    ("no version", 426, {"drop": ("Sec-WebSocket-Version",)}),
    ("version 8", 426, {"Sec_WebSocket_Version": "8"}),
    ("no upgrade", 400, {"drop": ("Upgrade",)}),
    ("another upgrade", 400, {"Upgrade": "h2c"}),
    ("a connection that does not upgrade", 400, {"Connection": "keep-alive"}),
    ("POST", 405, {"method": "POST"}),
    ("HTTP/1.0", 400, {"version": "HTTP/1.0"}),
):
    named(f"a handshake with {_name} is {_status}", lambda s=_status, c=_changed: refused(s, **c))


@case
def accepted():
    """a handshake is accepted with the right token, at the service and through nginx"""
    for port in (PORT, GATEWAY):
        sock, said, key = handshake(port, Connection="keep-alive, Upgrade", Upgrade="WebSocket")
        sock.close()
        assert statuses(said) == [101] and generate_accept_token(key.encode()) in said, said


def pong(*sent, payload=b"hi"):
    got, closed = talk(*sent)
    assert (PONG, payload) in got and not closed, (got, closed)


named("a ping is answered with its payload", lambda: pong(frame(PING, b"hi")))
named("a ping of 125 bytes is answered", lambda: pong(frame(PING, b"x" * 125), payload=b"x" * 125))
named("a ping within a fragmented message is answered",
      lambda: pong(frame(TEXT, b"a", fin=False), frame(PING, b"hi"), frame(0, b"b")))
named("a pong nobody asked for is ignored", lambda: pong(frame(PONG, b"?"), frame(PING, b"hi")))
named("text, binary and empty messages are taken",
      lambda: pong(frame(TEXT, "é😀".encode()), frame(BINARY, b"\xff\0"), frame(TEXT), frame(PING, b"hi")))
named("a character may be cut by fragments",
      lambda: pong(frame(TEXT, b"\xf0\x9f", fin=False), frame(0, b"\x98\x80"), frame(PING, b"hi")))
named("a message of 60 KB in frames of one byte to 20 KB is taken",
      lambda: pong(frame(TEXT, b"a", fin=False), *[frame(0, b"b" * 20000, fin=False)] * 3, frame(0), frame(PING, b"hi")))
named("a frame that comes byte by byte is a frame", lambda: pong(*[bytes([b]) for b in frame(PING, b"hi")]))

for _name, _code, _sent in (
    ("an unmasked frame is 1002", 1002, [frame(TEXT, b"a", masked=False)]),
    ("a reserved bit is 1002", 1002, [frame(TEXT, b"a", rsv=4)]),
    ("an unknown data opcode is 1002", 1002, [frame(3, b"a")]),
    ("an unknown control opcode is 1002", 1002, [frame(11, b"a")]),
    ("a ping of 126 bytes is the end", MALFORMED, [frame(PING, b"x" * 126)]),
    ("a fragmented ping is the end", MALFORMED, [frame(PING, b"x", fin=False)]),
    ("a continuation of nothing is 1002", 1002, [frame(0, b"x")]),
    ("a new message within another is 1002", 1002, [frame(TEXT, b"a", fin=False), frame(TEXT, b"b")]),
    ("text that is not UTF-8 is 1007", 1007, [frame(TEXT, b"\xff\xfe")]),
    ("text that ends within a character is 1007", 1007, [frame(TEXT, b"\xf0\x9f")]),
    ("a surrogate in text is 1007", 1007, [frame(TEXT, b"\xed\xa0\x80")]),
    ("an overlong character in fragments is 1007", 1007, [frame(TEXT, b"\xc0", fin=False), frame(0, b"\xaf")]),
    ("a message of more than 64 KiB is 1009", 1009, [frame(BINARY, b"x" * 70000)]),
    ("fragments of more than 64 KiB are 1009", 1009, [frame(BINARY, b"x" * 40000, fin=False), frame(0, b"x" * 40000)]),
    ("a length of 2^62 is 1009", 1009, [frame(BINARY, b"x", length=1 << 62)]),
    ("a close is echoed", 1000, [frame(CLOSE, struct.pack(">H", 1000) + b"bye")]),
    ("a close with 3000 is echoed", 3000, [frame(CLOSE, struct.pack(">H", 3000))]),
    ("a close without code is answered without one", None, [frame(CLOSE)]),
    ("a close of one byte is the end", MALFORMED, [frame(CLOSE, b"\x03")]),
    ("a close with 1005 is 1002", 1002, [frame(CLOSE, struct.pack(">H", 1005))]),
    ("a close with 999 is 1002", 1002, [frame(CLOSE, struct.pack(">H", 999))]),
    ("a close with a reason that is not UTF-8 is 1007", 1007, [frame(CLOSE, struct.pack(">H", 1000) + b"\xff")]),
):
    named(_name, lambda c=_code, s=_sent: closes(c, *s))


@case
def nothing_after_close():
    """what comes after a close is not answered"""
    got, closed = talk(frame(CLOSE, struct.pack(">H", 1000)), frame(PING, b"late"), seconds=8)
    assert [o for o, _ in got] == [CLOSE] and closed, (got, closed)


@case
def honest_client():
    """the `websockets` client connects, is answered its ping, and closes, through nginx"""
    async def run():
        async with websockets.connect(f"ws://127.0.0.1:{GATEWAY}{PATH}", additional_headers={"Authorization": f"Bearer {TOKEN}"},
                                      compression="deflate") as socket:
            await asyncio.wait_for(await socket.ping(), 5)
            await socket.send("ignored")
            await socket.close()
        return socket.close_code
    assert asyncio.run(run()) == 1000


@case
def thousand_gone():
    """three hundred sockets that vanish without a close leave the service well"""
    socks = [handshake()[0] for _ in range(300)]
    for sock in socks:
        sock.close()
    assert answers(PORT, "/")


if __name__ == "__main__":
    main()
