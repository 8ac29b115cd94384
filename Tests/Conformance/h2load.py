#!/usr/bin/env python3
"""h2load: thousands of requests, pipelined and multiplexed; every one must be answered, and with what was meant.

    LOAD=5000 (requests for each line)
"""
import os
import re
import subprocess

from wire import ENV, GATEWAY, PORTS, Clinic, main, named

COUNT = int(os.environ.get("LOAD", "3000"))
SECURE, KEYS = ENV["POLYCLINIC_HTTPS_URL"], "/.well-known/jwks.json"


def load(status, url, *arguments, count=COUNT):
    result = subprocess.run(["h2load", "-n", str(count), *arguments, url], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    line = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", result.stdout)
    assert line, result.stdout
    total, done, succeeded, failed, errored, late = map(int, line.groups())
    codes = dict((found[1], int(found[0])) for found in re.findall(r"(\d+) (\dxx)", result.stdout))
    assert (done, errored, late) == (count, 0, 0) and codes.get(status) == count, (line[0], codes)


AUTHORIZED = ("-H", f"Authorization: Bearer {Clinic().as_('reception').token}")
for _name, _status, _url, _arguments in (
    ("HTTP/1.1 at a service", "2xx", f"http://127.0.0.1:{PORTS['auth']}{KEYS}", ("--h1", "-c", "20")),
    ("HTTP/1.1 at a service, eight pipelined", "2xx", f"http://127.0.0.1:{PORTS['auth']}{KEYS}", ("--h1", "-c", "8", "-m", "8")),
    ("HTTP/1.1 through nginx", "2xx", f"http://127.0.0.1:{GATEWAY}{KEYS}", ("--h1", "-c", "20")),
    ("HTTP/1.1 through TLS", "2xx", f"{SECURE}{KEYS}", ("--h1", "-c", "20")),
    ("HTTP/2, one connection, fifty streams", "2xx", f"{SECURE}{KEYS}", ("-c", "1", "-m", "50")),
    ("HTTP/2, ten connections, twenty streams", "2xx", f"{SECURE}{KEYS}", ("-c", "10", "-m", "20")),
    ("HTTP/2, a read of the database behind a token", "2xx", f"{SECURE}/v1/patients?search=Asha", ("-c", "4", "-m", "8", *AUTHORIZED)),
    ("HTTP/2, refusals", "4xx", f"{SECURE}/v1/users", ("-c", "4", "-m", "20")),
):
    named(f"{COUNT} requests, {_name}", lambda s=_status, u=_url, a=_arguments: load(s, u, *a))

if __name__ == "__main__":
    main()
