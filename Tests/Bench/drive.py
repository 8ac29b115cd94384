"""The two load generators: wrk over HTTP, and pgbench with the same statements."""
import json
import os
import re
import subprocess
import time
import uuid

from effects import Reckoning
from machine import cpu, rss
from peers.servers import address
from stage import SECONDS, WARM

NAN = float("nan")

# A wish is one request: caller ⇥ method ⇥ path ⇥ If-Match ⇥ body. They are formatted before the clock starts, all but their
# Idempotency-Key: wishes may return, a key never does. Keys come in no order, as those of many clients do.
LUA = """
local requests, rests, tokens, at, owed, keys = {}, {}, {}, 0, {}, 0
local function key()
    keys = keys + 1
    return string.format("%%08x%(run)s", keys * 2654435761 %% 4294967296)
end
init = function()
    for line in io.lines("%(work)s/tokens") do tokens[#tokens + 1] = "Bearer " .. line end
    for line in io.lines("%(work)s/wishes") do
        local caller, method, path, match, body = string.match(line, "([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t([^\\t]*)\\t(.*)")
        local headers = {}
        if caller ~= "" then headers["Authorization"] = tokens[tonumber(caller)] end
        if match ~= "" then headers["If-Match"] = '"' .. match .. '"' end
        if body ~= "" then headers["Content-Type"] = method == "PATCH" and "application/merge-patch+json" or "application/json" end
        if method == "POST" and caller ~= "" then headers["Idempotency-Key"] = "KEY-HERE" end
        local request = wrk.format(method, path, headers, body ~= "" and body or nil)
        local from, to = string.find(request, "KEY-HERE", 1, true)
        requests[#requests + 1] = from and string.sub(request, 1, from - 1) or request
        rests[#requests] = from and string.sub(request, to + 1) or false
    end
end
request = function()
%(before)s
    at = at %% #requests + 1
    if rests[at] then return requests[at] .. key() .. rests[at] end
    return requests[at]
end
%(after)s
done = function(summary, latency, _)
    print(string.format('{"requests":%%d,"seconds":%%.4f,"p50":%%.3f,"p99":%%.3f,"bytes":%%d,"bad":%%d}', summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.bytes,
        summary.errors.status + summary.errors.timeout + summary.errors.connect + summary.errors.read + summary.errors.write))
end
"""

# What was made by one request is settled by the next one: an invoice and its payment.
FOLLOW = {
    "before": """    if #owed > 0 then
        local id = table.remove(owed)
        return wrk.format("POST", string.gsub("%s", "{id}", id), { ["Authorization"] = tokens[1], ["Content-Type"] = "application/json",
            ["Idempotency-Key"] = key() }, '%s')
    end""",
    "after": """response = function(status, _, body)
    local id = string.match(body, '^{"id":"(%x+%-%x+%-%x+%-%x+%-%x+)","number"')
    if status == 201 and id then owed[#owed + 1] = id end
end""",
}


def wrk(stage, url, wishes, tokens, connections=32, follow=None, seconds=SECONDS):
    stage.file("wishes", "\n".join(wishes))
    stage.file("tokens", "\n".join(tokens))
    before = FOLLOW["before"] % follow if follow else ""
    script = stage.file("load.lua", LUA % {"work": stage.work, "run": str(uuid.uuid4())[8:], "before": before, "after": FOLLOW["after"] if follow else ""})
    done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", script, url], capture_output=True, text=True)
    if done.returncode or '{"requests"' not in done.stdout:
        raise SystemExit(f"bench: wrk failed: {done.stdout[-300:]} {done.stderr[-300:]}")
    return json.loads(done.stdout[done.stdout.index('{"requests"'):].splitlines()[0])


class Meter:
    """CPU of the servers between two moments, for each request."""
    names = ("postgres", "redis", "rabbitmq")

    def __init__(self, stage, server):
        self.pids = {"service": server, **{name: stage.pid(name) for name in self.names}}
        self.before = {name: cpu(pid) for name, pid in self.pids.items()}

    def each(self, n):
        return {name: (cpu(pid) - self.before[name]) / max(1, n) for name, pid in self.pids.items()}


class Balance:
    """What a run cost until everything that it set off was done: it begins and ends while nothing is under way."""

    def __init__(self, stage, server):
        self.pids = {*stage.processes().values(), server}
        self.reckoning, self.before = Reckoning(stage), self.spent()

    def spent(self):
        return sum(map(cpu, self.pids))

    def of(self, n, seconds, writes):
        """`kept`: requests a second; `all`: CPU µs of all servers for each. NaN when it was not done after effects.PATIENCE."""
        began = time.monotonic()
        done = self.reckoning.wait() if writes else True
        seconds += time.monotonic() - began
        return {"kept": n / seconds if writes and done else NAN, "all": (self.spent() - self.before) / max(1, n) if done else NAN}


def behind(stage, job):
    """Facts that were committed and had not left yet when the clock stopped: what a side owes for the speed that it showed."""
    return int(stage.psql(f"select count(*) from {job.service}.outbox where published_at is null")) if job.rate else 0


def measured(stage, server, url, job, wishes, tokens):
    """One load run with the CPU that everybody spent in it, and a look at whether it happened."""
    effect = int(stage.psql(job.effect)) if job.effect else 0
    balance, warm = Balance(stage, server), {"requests": 0, "seconds": 0, "bad": 0}
    if job.rate:
        first = min(job.rate * WARM, len(wishes) // 4)
        warm = wrk(stage, url, wishes[:first], tokens, job.connections, job.follow, WARM)
        wishes = wishes[first:]
    meter = Meter(stage, server)
    figures = wrk(stage, url, wishes, tokens, job.connections, job.follow)
    n = max(1, figures["requests"])
    figures.update(meter.each(n), behind=behind(stage, job), rps=n / figures["seconds"], sent=figures["bytes"] / n, rss=rss(server))
    asked = warm["requests"] + figures["requests"]
    figures.update(balance.of(asked, warm["seconds"] + figures["seconds"], writes=job.rate))
    figures["bad"] += warm["bad"]
    if job.effect:
        # What was still on its way when the clock stopped is not in wrk's count, so the tables may hold a few more.
        made = (int(stage.psql(job.effect)) - effect)
        figures["bad"] += max(0, asked - figures["bad"] - made)
    return figures


def pgbench(stage, script, job):
    """The same statements without any server of ours; mind that pgbench takes `:word` for a variable inside quotes too."""
    file = stage.file("script.sql", script)

    def run(seconds):
        done = subprocess.run(["pgbench", "-n", "-M", "prepared", f"-c{job.connections}", "-j1", f"-T{seconds}", "-f", file, address(stage, job.service)],
                              capture_output=True, text=True, env={**os.environ, "PGOPTIONS": f"-c search_path={job.service},public"})
        found = re.search(r"actually processed: (\d+)", done.stdout)
        if done.returncode or not found:
            raise SystemExit(f"bench: pgbench of {job.name} failed: {done.stderr[-600:]}")
        return int(found[1]), done.stdout

    effect = int(stage.psql(job.effect)) if job.effect else 0
    balance = Balance(stage, 0)
    warm = run(WARM)[0] if job.rate else 0
    meter = Meter(stage, 0)
    n, said = run(SECONDS)
    figures = {**meter.each(n * job.steps), "service": NAN, "behind": behind(stage, job),
               **balance.of((n + warm) * job.steps, SECONDS + WARM * bool(job.rate), writes=job.rate)}
    bad = max(0, n + warm - (int(stage.psql(job.effect)) - effect)) if job.effect else 0
    return {**figures, "p50": float(re.search(r"latency average = ([\d.]+)", said)[1]), "p99": NAN, "sent": NAN, "rss": NAN, "bad": bad,
            "rps": float(re.search(r"tps = ([\d.]+)", said)[1]) * job.steps}
