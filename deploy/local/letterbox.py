#!/usr/bin/env python3
"""Takes the messages that auth would send by e-mail and SMS, and shows them: a stand-in for an operator's gateway.

    python3 deploy/local/letterbox.py            # beside `make up`: prints every code
Only the standard library. Tests run it inside themselves.
"""
import http.server
import json
import os
import threading
import time


class Letterbox:
    """`messages` is what came, in order."""

    def __init__(self, port, show=None):
        self.messages, self.lock, self.failing = [], threading.Lock(), 0
        box = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with box.lock:
                    failed, box.failing = box.failing > 0, max(0, box.failing - 1)
                    if not failed:
                        box.messages.append({**message, "key": self.headers["idempotency-key"]})
                if show:
                    show(message)
                self.send_response(503 if failed else 202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, to, template=None, seconds=40):
        """The newest message to this address: of this template, or what is no notice."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self.lock:
                found = [m for m in self.messages if m["to"] == to and (m["template"] == template or (not template and m["template"] != "security_changed"))]
            if found:
                return found[-1]
            time.sleep(0.05)
        raise AssertionError(f"no message within {seconds} s")

    def close(self):
        self.server.shutdown()
        self.server.server_close()


if __name__ == "__main__":
    port = int(os.environ.get("POLYCLINIC_PORT_BASE", "8080")) + 38
    Letterbox(port, show=lambda m: print(f"{m['channel']} to {m['to']}: {m['template']} {m.get('code') or m.get('changed') or ''}", flush=True))
    threading.Event().wait()
