"""A crowd at one door: either so many hands, each of which waits for its answer, or so many a second, who wait for nobody.

Requests are written and read by hand on bare sockets, because a comfortable client would be what limits them.
"""
import asyncio
import json
import time
import uuid
from collections import namedtuple

# `at` is when it was sent, in seconds from the beginning; `status` is None when there was no answer.
Answer = namedtuple("Answer", "method at took status waits id")
PATIENCE = 15  # seconds after the last was sent


class Crowd:
    """`wish` returns (method, path, body or None) each time somebody wants something."""

    def __init__(self, port, token, wish):
        self.port, self.token, self.wish = port, token, wish

    def hands(self, count, seconds):
        """Closed loop, as many as that at once: what a service can do. Returns the answers."""
        async def work():
            while time.monotonic() - self.began < seconds:
                await self.ask()
        return self.meet(lambda: asyncio.gather(*(work() for _ in range(count))))

    def flood(self, rate, seconds):
        """Open loop, so many a second whether anybody is answered or not. Returns the answers."""
        async def arrive():
            asked = set()
            for n in range(round(rate * seconds)):
                pause = self.began + n / rate - time.monotonic()
                if pause > 0:
                    await asyncio.sleep(pause)
                asked.add(asyncio.create_task(self.ask()))
            _, late = await asyncio.wait(asked, timeout=PATIENCE)
            for one in late:
                one.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        return self.meet(arrive)

    def meet(self, work):
        self.answers, self.free = [], []

        async def meeting():
            self.began = time.monotonic()
            await work()
            for _, writer in self.free:
                writer.close()
        asyncio.run(meeting())
        return self.answers

    async def ask(self):
        method, path, body = self.wish()
        data = b"" if body is None else json.dumps(body).encode()
        request = (f"{method} {path} HTTP/1.1\r\nHost: clinic\r\nAuthorization: Bearer {self.token}\r\nContent-Length: {len(data)}\r\n"
                   + (f"Content-Type: application/json\r\nIdempotency-Key: {uuid.uuid4().hex}\r\n" if data else "") + "\r\n").encode() + data
        at, status, waits, made = time.monotonic() - self.began, None, False, None
        try:
            reader, writer = self.free.pop() if self.free else await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(request)
            lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            fields = dict(line.split(b": ", 1) for line in lines[1:-2])
            document = await reader.readexactly(int(fields.get(b"content-length", b"0")))
            status, waits = int(lines[0][9:12]), b"retry-after" in fields
            made = json.loads(document)["id"] if status == 201 else None
            if fields.get(b"connection") == b"close":
                writer.close()
            else:
                self.free.append((reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        self.answers.append(Answer(method, at, time.monotonic() - self.began - at, status, waits, made))


def share(values, part):
    """What so large a part of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0
