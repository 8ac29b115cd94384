"""What the bench asks of the machine: the CPU and memory of a process, and some threads."""
import os
import pathlib
import re
import sys
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu(process):
    """CPU µs of a process and, for Postgres, of all its children, the reaped ones included."""
    def one(p, reaped=False):
        try:
            fields = pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return int(fields[11]) + int(fields[12]) + (int(fields[13]) + int(fields[14]) if reaped else 0)
    total = one(process, reaped=True)
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return (total + sum(one(child) for child in children)) * 1_000_000 // TICK


def rss(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process}/status").read_text())[1]) / 1024


def parallel(jobs, width=16):
    """Runs the jobs on some threads and shows how far it is."""
    pending, done, lock, began = iter(list(jobs)), [0], threading.Lock(), time.monotonic()
    total, failures = len(jobs), []

    def worker():
        while True:
            with lock:
                job = next(pending, None)
            if job is None or failures:
                return
            try:
                job()
            except Exception as failure:  # noqa: BLE001 - shown below, and the bench ends
                failures.append(failure)
            done[0] += 1
            if done[0] % max(1, total // 20) == 0:
                print(f"\r  {done[0]}/{total}  {time.monotonic() - began:.0f} s ", end="", file=sys.stderr, flush=True)
    threads = [threading.Thread(target=worker) for _ in range(width)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(file=sys.stderr)
    if failures:
        raise failures[0]
