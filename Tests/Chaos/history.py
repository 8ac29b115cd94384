"""What the clients saw: every request with its answer, in order, and nothing that a person would mind being read."""
import json
import threading
import time


class History:
    """`attempts` is every request sent; `operations` is every intention, which may have taken several attempts."""

    def __init__(self, path):
        self.file = open(path, "w", encoding="utf-8")
        self.lock = threading.Lock()
        self.attempts, self.operations, self.events, self.problems = [], [], [], []
        self.began = time.monotonic()
        self.clock_wrong_until = 0.0

    def now(self):
        return round(time.monotonic() - self.began, 4)

    def _keep(self, kind, into, row):
        with self.lock:
            into.append(row)
            self.file.write(json.dumps({"kind": kind, **row}) + "\n")

    def attempt(self, **row):
        self._keep("attempt", self.attempts, row)

    def operation(self, **row):
        self._keep("operation", self.operations, row)

    def event(self, what, victim):
        """A fault, as it was done."""
        self._keep("fault", self.events, {"at": self.now(), "what": what, "victim": victim})

    def is_clock_wrong(self):
        """Whether some service's wall clock is off, or was a moment ago."""
        return self.now() < self.clock_wrong_until

    def problem(self, text):
        """Something a client saw that it must never see."""
        self._keep("problem", self.problems, {"at": self.now(), "text": text})

    def close(self):
        self.file.close()
