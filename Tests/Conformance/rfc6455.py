#!/usr/bin/env python3
"""RFC 6455 section by section, the ground that Autobahn's fuzzing client covers: lengths, pings, reserved bits, opcodes,
fragments, UTF-8 that fails at its first wrong byte, close codes, masks, many messages.

Autobahn itself runs under Python 2 only, so its list is walked here: wsproto makes the frames that are right, this file
those that are wrong. The cases of websocket.py (handshakes, limits, an honest client) run with these.
"""
import os
import struct

import wsproto
import wsproto.events as events
from wsproto.connection import Connection, ConnectionType

from websocket import BINARY, CLOSE, MALFORMED, PING, PONG, TEXT, closes, frame, handshake
from wire import case, main, named, statuses


def conversation(sent, cut=None):
    """Sends bytes (in pieces of `cut`), then a ping; what wsproto understood of the answers until its pong or the end."""
    sock, said, _ = handshake()
    assert statuses(said) == [101], said
    engine, mark = Connection(ConnectionType.CLIENT), os.urandom(8)
    with sock:
        stream = sent(engine) if callable(sent) else sent
        stream += engine.send(events.Ping(payload=mark))
        try:
            for at in range(0, len(stream), cut or len(stream)):
                sock.sendall(stream[at:at + (cut or len(stream))])
        except OSError:
            pass
        sock.settimeout(5)
        engine.receive_data(said.partition(b"\r\n\r\n")[2])
        heard = list(engine.events())
        while not any(isinstance(e, events.CloseConnection) or (isinstance(e, events.Pong) and bytes(e.payload) == mark) for e in heard):
            part = sock.recv(65536)
            engine.receive_data(part or None)
            heard += engine.events()
            if not part:
                break
    return heard, mark


def goes_on(sent, cut=None):
    heard, mark = conversation(sent, cut)
    assert heard and isinstance(heard[-1], events.Pong) and bytes(heard[-1].payload) == mark, f"not taken: {heard[-2:]}"
    return heard


def message(payload, binary=True):
    return lambda engine: engine.send(events.BytesMessage(data=payload) if binary else events.TextMessage(data=payload))


# 1: lengths, whole and in pieces
for _size in (0, 1, 125, 126, 127, 128, 255, 1000, 65535, 65536):
    named(f"1 text of {_size} bytes", lambda n=_size: goes_on(message("*" * n, binary=False)))
    named(f"1 binary of {_size} bytes", lambda n=_size: goes_on(message(b"\xfe" * n)))
    named(f"1 binary of {_size} bytes in pieces of 997", lambda n=_size: goes_on(message(b"\xfe" * n), cut=997))
named("1 text of 300 bytes, byte by byte", lambda: goes_on(message("*" * 300, binary=False), cut=1))

# 2: pings and pongs
for _size in (0, 1, 124, 125):
    def _ping(n=_size):
        heard = goes_on(lambda e: e.send(events.Ping(payload=b"\xff" * n)))
        assert any(isinstance(e, events.Pong) and bytes(e.payload) == b"\xff" * n for e in heard), heard
    named(f"2 a ping of {_size} bytes comes back", _ping)


@case
def ten_pings():
    """2 ten pings in one piece come back in order"""
    heard = goes_on(lambda e: b"".join(e.send(events.Ping(payload=bytes([i]))) for i in range(10)))
    assert [bytes(e.payload) for e in heard if isinstance(e, events.Pong)][:10] == [bytes([i]) for i in range(10)]


named("2 pongs that nobody asked for are ignored", lambda: goes_on(frame(PONG, b"a") + frame(PONG) + frame(PONG, b"x" * 125)))
for _size in (126, 127, 65535, 65536):
    named(f"2 a ping of {_size} bytes is the end", lambda n=_size: closes(MALFORMED, frame(PING, b"x" * n)))

# 3: reserved bits, with every kind of frame
for _rsv in range(1, 8):
    for _opcode, _payload in ((TEXT, b"a"), (BINARY, b""), (PING, b"a"), (PONG, b""), (CLOSE, b"\x03\xe8")):
        named(f"3 reserved bits {_rsv} with opcode {_opcode} are 1002",
              lambda r=_rsv, o=_opcode, p=_payload: closes(1002, frame(o, p, rsv=r)))
named("3 reserved bits behind a good message are 1002", lambda: closes(1002, frame(TEXT, b"a") + frame(TEXT, b"b", rsv=2) + frame(PING)))

# 4: opcodes that mean nothing
for _opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
    named(f"4 opcode {_opcode} is 1002", lambda o=_opcode: closes(1002, frame(o)))
    named(f"4 opcode {_opcode} with payload behind a message is 1002", lambda o=_opcode: closes(1002, frame(TEXT, b"a"), frame(o, b"x")))
    named(f"4 opcode {_opcode} within a message is 1002", lambda o=_opcode: closes(1002, frame(TEXT, b"a", fin=False), frame(o)))

# 5: fragments
_TWO = frame(TEXT, b"fragment1", fin=False) + frame(0, b"fragment2")
named("5 two fragments", lambda: goes_on(_TWO))
named("5 two fragments, byte by byte", lambda: goes_on(_TWO, cut=1))
named("5 empty fragments", lambda: goes_on(frame(TEXT, fin=False) + frame(0, fin=False) + frame(0)))
named("5 pings between five fragments", lambda: goes_on(
    frame(TEXT, b"1", fin=False) + b"".join(frame(PING, bytes([i])) + frame(0, b"x", fin=False) for i in range(4)) + frame(0, b"5")))
named("5 a fragmented ping is the end", lambda: closes(MALFORMED, frame(PING, b"a", fin=False), frame(0, b"b")))
named("5 a fragmented pong is the end", lambda: closes(MALFORMED, frame(PONG, b"a", fin=False), frame(0, b"b")))
for _fin in (True, False):
    named(f"5 a continuation of nothing, final {_fin}, is 1002", lambda f=_fin: closes(1002, frame(0, b"x", fin=f), frame(TEXT, b"a")))
    named(f"5 a continuation behind a whole message, final {_fin}, is 1002", lambda f=_fin: closes(1002, frame(TEXT, b"a"), frame(0, b"x", fin=f)))
    named(f"5 a second start, final {_fin}, is 1002", lambda f=_fin: closes(1002, frame(TEXT, b"a", fin=False), frame(BINARY, b"b", fin=f)))

# 6: UTF-8
RIGHT = ("κόσμε", "\u0000", "\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff", "\ufdd0", "Hello-µ@ßöäüàá-UTF-8!!")
WRONG = (b"\x80", b"\xbf", b"\xc0\xaf", b"\xc1\xbf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf",
         b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff",
         b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80\x65", b"\xc3\x28", b"\xe2\x28\xa1", b"\xe2\x82\x28", b"\xf0\x28\x8c\xbc")
for _text in RIGHT:
    _bytes = _text.encode()
    named(f"6 {_bytes!r} is text", lambda t=_text: goes_on(message(t, binary=False)))
    named(f"6 {_bytes!r} is text in fragments of a byte", lambda b=_bytes: goes_on(
        frame(TEXT, b[:1], fin=False) + b"".join(frame(0, b[i:i + 1], fin=False) for i in range(1, len(b))) + frame(0)))
for _bytes in WRONG:
    named(f"6 {_bytes!r} is 1007", lambda b=_bytes: closes(1007, frame(TEXT, b)))
    named(f"6 {_bytes!r} behind good text is 1007", lambda b=_bytes: closes(1007, frame(TEXT, b"ok " + b + b" ok")))
    # Refused before the message is complete: its last fragment is never sent.
    named(f"6 {_bytes!r} is 1007 as soon as it is seen", lambda b=_bytes: closes(
        1007, frame(TEXT, b"ok", fin=False), *[frame(0, b[i:i + 1], fin=False) for i in range(len(b))], frame(0, b"   ", fin=False)))
    named(f"6 {_bytes!r} is welcome in binary", lambda b=_bytes: goes_on(message(b)))

# 7: closing
for _code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
    named(f"7 close {_code} is echoed", lambda c=_code: closes(c, frame(CLOSE, struct.pack(">H", c))))
    named(f"7 close {_code} with a reason of 123 bytes is echoed", lambda c=_code: closes(c, frame(CLOSE, struct.pack(">H", c) + b"x" * 123)))
for _code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
    named(f"7 close {_code} is 1002", lambda c=_code: closes(1002, frame(CLOSE, struct.pack(">H", c))))
named("7 a close of 126 bytes is the end", lambda: closes(MALFORMED, frame(CLOSE, struct.pack(">H", 1000) + b"x" * 124)))
named("7 a close within fragments is echoed", lambda: closes(1000, frame(TEXT, b"a", fin=False), frame(CLOSE, struct.pack(">H", 1000))))
named("7 a second close is not answered", lambda: closes(1000, frame(CLOSE, struct.pack(">H", 1000)) * 2))
named("7 a message behind a close is not taken", lambda: closes(1000, frame(CLOSE, struct.pack(">H", 1000)) + frame(TEXT, b"\xff")))

# 9: masks, and many
for _opcode in (TEXT, BINARY, PING, PONG, CLOSE, 0):
    named(f"9 opcode {_opcode} without a mask is 1002", lambda o=_opcode: closes(1002, frame(o, b"", masked=False)))
named("9 a mask of zeros is a mask", lambda: goes_on(b"\x81\x81\x00\x00\x00\x00a"))
named("9 a mask of ones is a mask", lambda: goes_on(b"\x81\x81\xff\xff\xff\xff\x9e"))
for _name, _length in (("16 bits for 5 bytes", b"\xfe\x00\x05"), ("64 bits for 5 bytes", b"\xff" + struct.pack(">Q", 5)), ("64 bits for 300 bytes", b"\xff" + struct.pack(">Q", 300))):
    named(f"9 a length of {_name} is the end", lambda n=_length: closes(MALFORMED, b"\x82" + n + b"\0\0\0\0" + b"x" * 300))
named("9 a thousand messages in one piece", lambda: goes_on(lambda e: b"".join(e.send(events.TextMessage(data=f"{i}")) for i in range(1000))))
named("9 a thousand messages in pieces of 13", lambda: goes_on(lambda e: b"".join(e.send(events.BytesMessage(data=b"xy")) for i in range(1000)), cut=13))

assert wsproto  # the engine above is its Connection

if __name__ == "__main__":
    main()
