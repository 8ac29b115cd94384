"""Raw sockets at the running stack, and the list of cases that a file of this folder runs."""
import os
import re
import socket
import sys
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "Journeys"))
from clinic import Clinic, stack_environment  # noqa: E402

ENV = stack_environment()
GATEWAY = urllib.parse.urlsplit(ENV["POLYCLINIC_URL"]).port
SERVICES = ["auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal"]
PORTS = {name: GATEWAY + 1 + index for index, name in enumerate(SERVICES)}
CASES = []


def case(function):
    CASES.append(function)
    return function


def named(name, body):
    body.__doc__ = name
    case(body)


def main():
    """Runs every case, prints a line for each that fails, and ends with their number."""
    began, failed = time.monotonic(), 0
    for function in CASES:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - a failing case must not hide the next one
            failed += 1
            print(f"  FAILED {function.__doc__ or function.__name__}: {type(error).__name__} {error}")
    print(f"  {len(CASES) - failed} of {len(CASES)} cases, {time.monotonic() - began:.1f} s")
    sys.exit(1 if failed else 0)


def connect(port, timeout=5):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def everything(sock, seconds=3):
    """What the server says until it closes or is silent that long: (bytes, whether it closed)."""
    sock.settimeout(seconds)
    said = b""
    while True:
        try:
            part = sock.recv(65536)
        except TimeoutError:
            return said, False
        except ConnectionResetError:
            return said, True
        if not part:
            return said, True
        said += part


def statuses(said):
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


def exchange(port, stream, seconds=1.5):
    with connect(port) as sock:
        try:
            sock.sendall(stream)
        except OSError:
            pass
        said, closed = everything(sock, seconds)
        return statuses(said), closed, said


def answers(port, path="/v1/auth/login"):
    """Whether another client is served meanwhile: any status will do, and quickly."""
    began = time.monotonic()
    got, _, _ = exchange(port, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    return len(got) == 1 and time.monotonic() - began < 1


__all__ = ["Clinic", "GATEWAY", "PORTS", "SERVICES", "answers", "case", "connect", "everything", "exchange", "main", "named", "statuses"]
