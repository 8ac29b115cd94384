"""Runs one job on everybody who does it, in turn, and keeps the medians."""
import math
import statistics
import time

from drive import NAN, measured, pgbench
from peers import prove, servers
from stage import REPEATS, SECONDS, say

KEYS = ("rps", "p50", "p99", "service", "postgres", "redis", "rabbitmq", "sent", "rss", "behind", "kept", "all")
OURS, GATEWAY, LIMIT = "polyclinic", "polyclinic through nginx", "pgbench"


class Progress:
    """How long it will still take, from how long it took so far."""

    def __init__(self, jobs, peers):
        self.left = sum(runs(job, peers) for job in jobs) * REPEATS
        self.done, self.began = 0, time.monotonic()

    def step(self, text):
        each = (time.monotonic() - self.began) / self.done if self.done else SECONDS + 4
        say(f"{text}  ({self.left * each / 60:.0f} min left for the jobs)")
        self.left, self.done = max(0, self.left - 1), self.done + 1


def runs(job, peers):
    return 1 + job.gateway + (job.script is not None) + (len(job.peers) if peers else 0)


def compare(stage, job, with_peers, progress):
    """{who: medians}. The peers start anew for each job, so their memory and connections are those of this job only."""
    peers = servers.start(stage, job.peers) if with_peers and job.peers else []
    url = f"http://127.0.0.1:{stage.port(job.service)}"
    tokens = None
    try:
        peers, left_out = proven(stage, job, peers, url)
        contenders = {OURS: lambda: run(stage.pid(job.service), url)}
        if job.gateway:
            contenders[GATEWAY] = lambda: run(stage.pid(job.service), stage.env["POLYCLINIC_URL"])
        if job.script:
            contenders[LIMIT] = lambda: limit()
        for peer in peers:
            contenders[peer.name] = lambda peer=peer: run(peer.pid, peer.url)

        def run(pid, url):
            if job.rate or job.fresh:
                job.prepare(stage)
            return measured(stage, pid, url, job, job.wishes(stage), tokens or job.tokens(stage))

        def limit():
            if job.rate:
                job.prepare(stage)
            count = stage.psql("select count(*) from bench.wish")
            return pgbench(stage, job.script.replace("TENANT", stage.tenant).replace("DAY", stage.day).replace("COUNT", count), job)

        if not job.rate:
            job.prepare(stage)
            tokens = job.tokens(stage)
        results = {name: [] for name in contenders}
        names = list(contenders)
        for repeat in range(REPEATS):
            # Another one begins each time, so that none always follows the same neighbour.
            for name in names[repeat % len(names):] + names[:repeat % len(names)]:
                progress.step(f"{job.name}: {name} ({repeat + 1}/{REPEATS})")
                results[name].append(contenders[name]())
    finally:
        servers.stop(peers)
    return {**{name: median(job, rows) for name, rows in results.items()}, **({"found": "".join(f" {text}." for text in left_out)} if left_out else {})}


def proven(stage, job, peers, url):
    """Who does the job, and a word about who does not: such a peer is left out, loudly, and the rest is measured."""
    good, words = [], []
    for peer in peers:
        try:
            prove.prove(stage, job, peer, url)
            good.append(peer)
        except prove.NoPeer as difference:
            say(str(difference))
            words.append(f"{peer.name} is left out: {difference.short}")
            peer.stop()
    return good, words


def of_all(column):
    """The median, and nothing when one of the runs has no figure: what lacks its worst run is no median."""
    return NAN if any(map(math.isnan, column)) else statistics.median(column)


def median(job, rows):
    figures = {key: of_all([row[key] for row in rows]) for key in KEYS}
    late = sum(math.isnan(row["kept"]) for row in rows) if job.rate else 0
    figures.update(late=late, bad=sum(row["bad"] for row in rows), least=min(row["rps"] for row in rows), most=max(row["rps"] for row in rows))
    return figures
