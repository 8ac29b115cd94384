"""What the bench asks of the machine: what it is, and the CPU and memory of a process."""
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu(process):
    """CPU µs of a process and of all its children, the reaped ones included: of Postgres, of RabbitMQ's beam."""
    try:
        fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        children = [child for task in os.listdir(f"/proc/{process}/task")
                    for child in pathlib.Path(f"/proc/{process}/task/{task}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15])) * 1_000_000 // TICK + sum(map(cpu, children))


def rss(process):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{process}/status").read_text())[1]) / 1024


def described():
    """One line for each thing that a figure depends on."""
    def ask(*command):
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout or done.stderr).strip().splitlines()[0] if done.stdout or done.stderr else "?"
    model = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) / 1048576
    system = re.search(r'PRETTY_NAME="(.+)"', pathlib.Path("/etc/os-release").read_text())[1]
    package = lambda name: ask("dpkg-query", "-W", "-f", "${Version}", name)  # noqa: E731
    swift = re.search(r"Swift version (\S+)", " ".join([ask("swift", "--version")]))
    return {
        "CPU": f"{os.cpu_count()} × {model}, {memory:.0f} GiB",
        "System": f"{system}, Linux {os.uname().release}",
        "Servers": f"PostgreSQL {package('postgresql-15')}, Redis {package('redis-server')}, RabbitMQ {package('rabbitmq-server')}, nginx {package('nginx-light')}",
        "Languages": f"Swift {swift[1] if swift else '?'}, {ask('go', 'version').replace('go version ', '')}, {ask('python3', '--version')}",
    }


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
                spent = time.monotonic() - began
                print(f"\r  {done[0]}/{total}  {spent:.0f} s, {spent / done[0] * (total - done[0]):.0f} s left ", end="", file=sys.stderr, flush=True)
    threads = [threading.Thread(target=worker, daemon=True) for _ in range(width)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    print(file=sys.stderr)
    if failures:
        raise failures[0]
