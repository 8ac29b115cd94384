#!/usr/bin/env python3
"""Compares our HTTP/1.1 parser with h11 (PyPI) on seeded, mutated byte streams.

    pip install h11
    python3 Tests/Differential/h11_differential.py .build/debug/HTTPParserProbe [--count 20000] [--seed 1]

Both must read the same messages, with the same framing, up to the same point. Where one refuses what the other
reads, a rule below must say why; an unexplained difference fails the run and prints the bytes.
"""
import argparse, json, random, re, struct, subprocess, sys

import h11

SEEDS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /v1/slots?date=2026-11-20&status=free HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\nTrailer: x\r\n\r\n",
    b"PATCH /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    b"DELETE /a/b HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    b"GET http://a/b HTTP/1.1\r\nHost: a\r\nX-Empty:\r\nX-Space: \t a b \t\r\n\r\n",
]
SPICE = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b";", b",", b"0", b"a", b"F", b"%", b"%00", b"%41", b"+", b"-", b"\x7f", b"\xff",
    b"\xc3\xa9", b"\r\n ", b"Content-Length: 5\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: b\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"Upgrade: x\r\n", b"HTTP/1.1", b"#", b"\\",
    b"0\r\n\r\n", b"\r\n\r\n", b"5\r\n", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
]


def mutate(rng):
    data = bytearray(rng.choice(SEEDS))
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            data[at:at] = rng.choice(SPICE)
        elif kind == 1:
            # At the start of a line, where it can become a header or a chunk.
            starts = [m.end() for m in re.finditer(b"\r\n", bytes(data))]
            if starts:
                at = rng.choice(starts)
            data[at:at] = rng.choice(SPICE)
        elif kind == 2:
            del data[at:at + rng.randrange(1, 4)]
        elif kind == 3 and at < len(data):
            data[at] = rng.randrange(256)
        elif kind == 4 and at < len(data):
            data[at:at + 1] = rng.choice(SPICE)
        else:
            end = rng.randrange(len(data) + 1)
            data[at:at] = data[min(at, end):max(at, end)][:40]
    return bytes(data)


def h11_understood(data):
    """The messages h11 reads, and whether it then refused."""
    messages, refused, in_body = [], None, False
    conn = h11.Connection(h11.SERVER)
    try:
        conn.receive_data(data)
        while True:
            event = conn.next_event()
            if event is h11.NEED_DATA:
                break
            if event is h11.PAUSED:
                if conn.our_state is not h11.DONE or conn.their_state is not h11.DONE:
                    break
                conn.start_next_cycle()
            elif isinstance(event, h11.Request):
                request, body, in_body = event, b"", True
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                in_body = False
                messages.append({
                    "method": request.method, "target": request.target, "body": body,
                    "headers": [(bytes(n), bytes(v)) for n, v in request.headers], "version": request.http_version,
                })
                if request.http_version < b"1.1":
                    break
                conn.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                conn.send(h11.EndOfMessage())
                if conn.our_state is h11.MUST_CLOSE:
                    break
                conn.start_next_cycle()
            else:
                break
    except h11.RemoteProtocolError as error:
        refused = str(error)
    return messages, refused, in_body


METHODS = rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)"

# We refuse, h11 reads. Each rule looks at the stream; its reason is why being stricter is right for us.
STRICTER = [
    ("lines end with CR LF only: a lone LF is what smuggling is made of", rb"(?<!\r)\n"),
    ("folded lines are obsolete, and readers disagree about them (RFC 9112 5.2 lets us refuse)", rb"\r\n[ \t]"),
    ("a repeated or listed Content-Length may be merged by others", rb"(?is)\ncontent-length:.*\ncontent-length:|\ncontent-length:[^\r\n]*,"),
    ("Content-Length beside Transfer-Encoding is a smuggling attempt (RFC 9112 6.1)",
     rb"(?is)\ncontent-length:.*\ntransfer-encoding:|\ntransfer-encoding:.*\ncontent-length:"),
    ("methods nobody routes are 501 at the door", rb"(?m)^(?!" + METHODS + rb" )[!-~]+ [!-~]+ HTTP/"),
    ("only what RFC 3986 allows in a target, and no %00", rb"(?m)^[A-Z]+ [^ \r\n]*([\"#<>\\^`{|}]|%(?![0-9A-Fa-f]{2})|%00)"),
    ("a target is a path, absolute http(s), or * for OPTIONS", rb"(?m)^(?!OPTIONS \* )[A-Z]+ (?!/|(?i:https?://)[^/?@ ])[^\r\n]* HTTP/"),
    ("userinfo in an absolute target is phishing, not routing", rb"(?mi)^[A-Z]+ https?://[^/? ]*@"),
    ("only HTTP/1.x", rb" HTTP/(?!1\.)"),
    ("a Host of a later 1.x is still needed", rb" HTTP/1\.[2-9]"),
    ("Host holds a host", rb"(?i)\nhost:[ \t]*[^ \t\r\n]*([^-A-Za-z0-9._~:\[\]%!$&'()*+,;= \t\r\n]|[^ \t\r\n][ \t]+[^ \t\r\n])"),
    ("what cannot start a method is refused before its line is complete", rb"(^|\n)[^-!#$%&'*+.^_`|~0-9A-Za-z\r\n]"),
    ("a chunk's size is followed by nothing or an extension", rb"\r\n[0-9A-Fa-f]+[ \t]+(;[^\r\n]*)?\r\n"),
    ("an HTTP/1.0 message with Transfer-Encoding has doubtful framing (RFC 9112 6.1)", rb"(?is) HTTP/1\.0.*\ntransfer-encoding:"),
    ("an expectation that is not 100-continue is 417", rb"(?i)\nexpect:[ \t]*(?!100-continue[ \t]*\r)"),
    ("no control character but the tab in a value", rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    ("trailers are judged line by line, and may not speak about framing", rb"\r\n0+(;[^\r\n]*)?\r\n[^\r\n]"),
    ("values that are not UTF-8 are refused, not repaired", None),
    ("two Hosts are refused in every version", rb"(?is)\nhost:.*\nhost:"),
]

START = next(i for i, rule in enumerate(STRICTER) if rule[0].startswith("what cannot start"))

# h11 refuses with these words, we read streams like this.
LOOSER = [
    ("one empty line before a request is allowed (RFC 9112 2.2)", "no request line received|illegal request line", rb"\r(\n|$)"),
]


def explained(data):
    for reason, pattern in STRICTER:
        if pattern is None:
            try:
                data.decode("utf-8")
            except UnicodeDecodeError:
                return reason
        elif re.search(pattern, data):
            return reason
    return None


def target_of(message):
    """h11 leaves an absolute target alone; we keep what follows the authority."""
    target = message["target"].decode("latin-1")
    found = re.match(r"(?i)https?://[^/?]*(.*)", target)
    if found:
        target = found[1] if found[1].startswith("/") else "/" + found[1]
    return target[:-1] if target.endswith("?") and target.count("?") == 1 else target


def same(ours, theirs):
    return (ours["method"].encode() == theirs["method"] and ours["target"] == target_of(theirs)
            and bytes(ours["body"]) == theirs["body"]
            # h11 hands the coding over in lower case.
            and [(n.encode(), v.lower().encode() if n == "transfer-encoding" else v.encode())
                 for n, v in ours["headers"]] == theirs["headers"])


def main():
    options = argparse.ArgumentParser()
    options.add_argument("probe")
    options.add_argument("--count", type=int, default=20000)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    rng = random.Random(options.seed)
    streams = [mutate(rng) for _ in range(options.count)]
    stdin = b"".join(struct.pack(">I", len(s)) + s for s in streams)
    result = subprocess.run([options.probe], input=stdin, stdout=subprocess.PIPE)
    lines = result.stdout.splitlines()
    if result.returncode != 0 or len(lines) != len(streams):
        sys.exit(f"the probe died (code {result.returncode}) on stream {len(lines)}: {streams[len(lines)]!r}")
    failures, reasons, agreed = 0, {}, 0
    for data, line in zip(streams, lines):
        ours = {"refused": None, **json.loads(line)}
        theirs, their_refusal, their_body = h11_understood(data)
        both = min(len(ours["messages"]), len(theirs))
        reason = "differ"
        if all(same(a, b) for a, b in zip(ours["messages"], theirs)):
            if len(ours["messages"]) == len(theirs) and (ours["refused"] is None) == (their_refusal is None):
                agreed += 1
                continue
            if ours["refused"] is not None and len(ours["messages"]) == both:
                reason = explained(data)
                if not reason and their_refusal is None and not their_body and not data.endswith(b"\n"):
                    reason = STRICTER[START][0]
            elif their_refusal is not None and len(theirs) == both:
                reason = next((why for why, words, pattern in LOOSER
                               if re.search(words, their_refusal) and re.search(pattern, data)), None)
            else:
                reason = None
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
                continue
        failures += 1
        if failures <= 10:
            print(f"UNEXPLAINED {data!r}\n  ours   {ours}\n  theirs {theirs} {their_refusal}\n")
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
        print(f"{count:6}  {reason}")
    print(f"{agreed} of {len(streams)} streams understood alike, {sum(reasons.values())} explained, {failures} unexplained")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
