"""A network that misbehaves on command: it stands between clients, services and servers, and passes bytes on until told otherwise.

One process of its own, so that its work does not wait for the clients'. It is told what to do by lines of JSON on its
standard input, `{"do": "blackhole", "on": "postgres.clinical", …}`, and ends when that closes. A route is of a kind:
`raw` passes bytes; `http` knows where an answer begins; `postgres` knows where a commit is sent and answered.
"""
import asyncio
import json
import os
import socket
import struct
import subprocess
import sys
import threading


class Route:
    """One listening port and where it leads, with what is to go wrong on it."""

    def __init__(self, name, kind, port, upstream):
        self.name, self.kind, self.port, self.upstream = name, kind, port, tuple(upstream)
        self.pairs = set()
        self.heal()
        self.cuts = {}  # how many times still: {"before-commit": 2, "after-commit": 1, "answer": 3, "request": 1}
        self.budget = None  # bytes until the next cut

    def heal(self):
        self.latency, self.refusing = 0.0, False
        self.flowing = getattr(self, "flowing", None) or asyncio.Event()
        self.flowing.set()

    def take(self, kind):
        """Whether one of the cuts that were asked for is to be done now."""
        if not self.cuts.get(kind):
            return False
        self.cuts[kind] -= 1
        done[f"{self.name.split('.')[0]} {kind}"] = done.get(f"{self.name.split('.')[0]} {kind}", 0) + 1
        return True


done = {}  # cuts that happened, for the totals


class Pair:
    """A client's connection and ours to where it wanted to go."""

    def __init__(self, route, client_in, client_out):
        self.route, self.client_in, self.client_out = route, client_in, client_out
        self.server_out = None
        self.protocol = {"postgres": PostgresWire, "http": HTTPWire}.get(route.kind, Wire)(route)

    async def run(self):
        self.route.pairs.add(self)
        try:
            await self.route.flowing.wait()  # a black hole accepts, as a hung server's kernel does
            if self.route.refusing:
                return self.cut()
            server_in, self.server_out = await asyncio.open_connection(*self.route.upstream) if len(self.route.upstream) == 2 \
                else await asyncio.open_unix_connection(self.route.upstream[0])
            forth = asyncio.create_task(self.pump(self.client_in, self.server_out, self.protocol.forth))
            back = asyncio.create_task(self.pump(server_in, self.client_out, self.protocol.back))
            await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            forth.cancel(), back.cancel()
        except OSError:
            pass
        finally:
            self.route.pairs.discard(self)
            for writer in (self.client_out, self.server_out):
                if writer is not None:
                    writer.close()

    async def arrivals(self, reader):
        """What arrives, each piece `latency` after it came: distance, so pieces that follow each other do not add theirs up."""
        clock, pieces = asyncio.get_running_loop().time, asyncio.Queue()

        async def read():
            data = b"?"
            while data:
                try:
                    data = await reader.read(65536)
                except OSError:
                    data = b""
                pieces.put_nowait((clock() + self.route.latency, data))
        reading = asyncio.create_task(read())
        try:
            while True:
                due, data = await pieces.get()
                if due > clock():
                    await asyncio.sleep(due - clock())
                if not data:
                    return
                yield data
        finally:
            reading.cancel()

    async def pump(self, reader, writer, look):
        try:
            async for data in self.arrivals(reader):
                await self.route.flowing.wait()
                if self.route.budget is not None:
                    self.route.budget -= len(data)
                    if self.route.budget < 0:
                        writer.write(data[:self.route.budget])
                        self.route.budget = None
                        done[f"{self.route.name.split('.')[0]} bytes"] = done.get(f"{self.route.name.split('.')[0]} bytes", 0) + 1
                        return self.cut()
                passed, is_over = look(data)
                writer.write(passed)
                if self.protocol.reply:
                    self.client_out.write(self.protocol.reply)
                    self.protocol.reply = b""
                if is_over:
                    await writer.drain()
                    return self.cut()
                await writer.drain()
        except OSError:
            pass

    def cut(self):
        """As a cable is cut: the client is reset, and the server is told no more than that."""
        for writer in (self.client_out, self.server_out):
            if writer is None:
                continue
            if writer is self.client_out:
                raw = writer.get_extra_info("socket")
                if raw is not None:
                    try:
                        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    except OSError:
                        pass
                writer.transport.abort()
            else:
                writer.close()


class Wire:
    """What passes: `forth` from the client and `back` to it; each returns (what goes on, whether this is the end)."""

    def __init__(self, route):
        self.route = route
        self.reply = b""  # what the client is told by ourselves

    def forth(self, data):
        return data, False

    def back(self, data):
        return data, False


class HTTPWire(Wire):
    """The first bytes of an answer come when its change has been committed; half a request changes nothing."""

    asked = False

    def forth(self, data):
        self.asked = True
        if self.route.take("request"):
            return data[:len(data) // 2], True
        return data, False

    def back(self, data):
        if self.asked and self.route.take("answer"):
            return b"", True
        self.asked = False
        return data, False


class PostgresWire(Wire):
    """Enough of the protocol (v3) to see a commit go and its answer come back: messages, statement names, tags."""

    def __init__(self, route):
        super().__init__(route)
        self.sent, self.got = b"", b""
        self.begun = False
        self.commits = set()  # names of prepared statements that say commit
        self.ending = False  # a commit went through and its answer will not

    @staticmethod
    def messages(buffer):
        """(type, body, whole) of each complete message, and what is left over."""
        found, at = [], 0
        while len(buffer) - at >= 5:
            size = 1 + struct.unpack_from("!I", buffer, at + 1)[0]
            if len(buffer) - at < size:
                break
            found.append((buffer[at:at + 1], buffer[at + 5:at + size], buffer[at:at + size]))
            at += size
        return found, buffer[at:]

    def forth(self, data):
        self.sent += data
        passed = b""
        while not self.begun:  # before the first typed message: what the session is to be
            if len(self.sent) < 8 or len(self.sent) < (size := struct.unpack_from("!I", self.sent)[0]):
                return passed, False
            code = struct.unpack_from("!I", self.sent, 4)[0]
            self.begun = code >> 16 == 3
            if code == 80877103:  # May it be TLS? We could not look into it, so no.
                self.reply = b"N"
            else:
                passed += self.sent[:size]
            self.sent = self.sent[size:]
        messages, self.sent = self.messages(self.sent)
        for kind, body, whole in messages:
            if self.is_commit(kind, body):
                if self.route.take("before-commit"):
                    return passed, True
                self.ending = self.ending or self.route.take("after-commit")
            passed += whole
        return passed, False

    def is_commit(self, kind, body):
        says = lambda text: text.strip().rstrip(b";").lower() == b"commit"  # noqa: E731
        if kind == b"Q":
            return says(body[:-1])
        if kind == b"P":
            name, text = body.split(b"\0")[:2]
            if says(text):
                self.commits.add(name)
        if kind == b"B":
            return body.split(b"\0")[1] in self.commits
        return False

    def back(self, data):
        self.got += data
        messages, self.got = self.messages(self.got)  # always whole ones, so that the end is found wherever it comes
        passed = b""
        for kind, body, whole in messages:
            if self.ending and kind == b"C" and body == b"COMMIT\0":
                return passed, True
            passed += whole
        return passed, False


async def serve(routes):
    def accept(route):
        async def handle(reader, writer):
            await Pair(route, reader, writer).run()
        return handle
    for route in routes.values():
        await asyncio.start_server(accept(route), "127.0.0.1", route.port, limit=2**18)
    print(json.dumps({"ready": len(routes)}), flush=True)
    loop, orders = asyncio.get_running_loop(), asyncio.Queue()

    def listen():
        for line in sys.stdin:
            loop.call_soon_threadsafe(orders.put_nowait, json.loads(line))
        loop.call_soon_threadsafe(orders.put_nowait, None)
    threading.Thread(target=listen, daemon=True).start()
    while (order := await orders.get()) is not None:
        for route in routes.values():
            if route.name == order["on"] or route.name.split(".")[0] == order["on"] or order["on"] == "*":
                obey(route, order)
        print(json.dumps({"done": done, "on": order["on"]}), flush=True)
    os._exit(0)  # nobody is left to be told how many connections that was


def obey(route, order):
    what = order["do"]
    if what == "blackhole":
        route.flowing.clear()
    elif what == "latency":
        route.latency = order["seconds"]
    elif what == "refuse":
        route.refusing = True
    elif what == "bytes":
        route.budget = order["bytes"]
    elif what == "heal":
        route.heal()
        route.cuts.clear()
        route.budget = None
    elif what in ("before-commit", "after-commit", "answer", "request"):
        route.cuts[what] = route.cuts.get(what, 0) + order.get("times", 1)
    if what in ("reset", "refuse"):
        for pair in list(route.pairs):
            pair.cut()


class Network:
    """The proxy's process, as the rest of the harness sees it."""

    def __init__(self, routes):
        """`routes` maps a name to (kind, port, upstream)."""
        self.lock = threading.Lock()
        self.process = subprocess.Popen([sys.executable, __file__, json.dumps(routes)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline():
            raise RuntimeError("the proxy could not listen")

    def do(self, what, on, **more):
        """Returns what was cut so far, in all: {"postgres after-commit": 3, …}."""
        with self.lock:
            self.process.stdin.write(json.dumps({"do": what, "on": on, **more}) + "\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())["done"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)


if __name__ == "__main__":
    asyncio.run(serve({name: Route(name, *what) for name, what in json.loads(sys.argv[1]).items()}))
