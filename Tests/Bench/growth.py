"""How cost grows: appointments 10 k → 10 M, tenants 1 → 1,000, a queue of 10 → 5,000. Stacks of its own, loaded by SQL.

All constraints, indexes and policies are in place while it loads; how long that takes is a figure too. What does not fit
into BENCH_GROWTH_MINUTES (15) of loading is left out, and the table says how far it went. Loading takes minutes, in which the
machine's speed changes, so a small stack stands beside the growing one and the two are measured in turn.
"""
import dataclasses
import os
import pathlib
import statistics
import uuid

from drive import measured
from growth_load import appointments, empty, future, tenants
from jobs import JOBS, queue
from jobs.job import Job
from load import load
from stage import ROOT, Stage, say, setting
from tokens import Mint

SIZES = [int(size) for size in os.environ.get("BENCH_GROWTH", "10000,1000000,10000000").split(",")]
MINUTES, REPEATS, FEW = setting("BENCH_GROWTH_MINUTES", 15), setting("BENCH_REPEATS", 3), 4
ENOUGH = 1_000  # requests, for a p99 that ten of them are beyond
ASKED = 60      # requests at each length of a queue

SHOW = Job("show", "read an appointment", "scheduling", connections=FEW,
           setup="create table bench.wish as select row_number() over () as n, id from (select id from scheduling.appointment tablesample system_rows({need})) a",
           line="bench.line('1', 'GET', '/v1/appointments/' || id, '', '')")


def few(job, **more):
    """The same job with so few connections that nobody waits for the other: latency, not throughput."""
    return dataclasses.replace(job, connections=FEW, **more)


def once(stage, job):
    job.prepare(stage)
    url = f"http://127.0.0.1:{stage.port(job.service)}"
    run = measured(stage, stage.pid(job.service), url, job, job.wishes(stage), job.tokens(stage))
    if run["bad"]:
        raise SystemExit(f"bench: growth: {run['bad']} of {run['requests']} requests of {job.name} failed; read the {job.service} service's log in {stage.home}")
    return run["p50"], run["p99"], run["requests"]


def medians(runs):
    return tuple(map(statistics.median, zip(*runs)))


def latency(stage, job):
    """Median p50 and p99 in ms of some runs, and of how many requests."""
    return medians([once(stage, job) for _ in range(REPEATS)])


def by_appointments(small, large):
    """[(size, seconds of loading, disk, cells, cells of the small one beside it)]"""
    for stage in (small, large):
        stage.psql("create extension if not exists tsm_system_rows with schema public")
    future(large)
    jobs = [few(JOBS["book"], rate=1500, effect=""), few(JOBS["slots"]), few(SHOW)]
    rows, spent, note = [], 0.0, ""
    for size in SIZES[1:]:
        took = appointments(large, size, MINUTES * 60 - spent)
        spent += took
        have = int(large.psql("select count(*) from scheduling.appointment"))
        if have < size * 0.9:
            note = f" Loading stopped at {have:,} after {MINUTES} minutes: {size:,} did not fit."
        disk = large.psql("select pg_size_pretty(pg_database_size(current_database()))")
        empty(small)
        future(small)
        appointments(small, SIZES[0], 60)
        for stage in (small, large):
            stage.rested()
        runs = [[(once(large, job), once(small, job)) for _ in range(REPEATS)] for job in jobs]
        cells, beside = ([medians([pair[i] for pair in pairs]) for pairs in runs] for i in (0, 1))
        rows.append((have, took, disk, cells, beside))
        say(f"{have:,} appointments, {disk}, loaded in {took:.0f} s: book {cells[0][0]:.2f} ms, beside {beside[0][0]:.2f}")
        if note:
            break
    return rows, note


def by_tenants(stage):
    """The same 200,000 slots in one tenant, and dealt out to a thousand; callers of all of them in turn."""
    rows, mint = [], Mint(f"{stage.env['POLYCLINIC_DATA']}/secrets")
    for many in (1, 10, 100, 1000):
        tenants(stage, many)
        ids = stage.psql("select tenant || ' ' || location from bench.tenant order by n").splitlines()
        tokens = lambda _: [mint.token(*row.split()[:1], "0190d3b4-0000-7000-8000-000000000001", "reception", row.split()[1]) for row in ids]  # noqa: E731
        wish = "(select row_number() over (order by random()) as n, t.n as caller, s.provider_id as provider, s.local_date as day, s.id as slot, s.provider_id as patient from scheduling.slot s join bench.tenant t on t.tenant = s.tenant_id where s.status = 'free' and s.starts_at > now() limit {need}) w"
        free = f"create table bench.wish as select * from {wish}"
        jobs = [Job("list", "", "scheduling", connections=FEW, callers=tokens, setup=free,
                    line="bench.line(caller::text, 'GET', format('/v1/slots?providerId=%s&date=%s&limit=100', provider, day), '', '')"),
                Job("book", "", "scheduling", connections=FEW, callers=tokens, setup=free, rate=1500, before=lambda stage: stage.settle(),
                    line="""bench.line(caller::text, 'POST', '/v1/appointments', '', format('{"slotId":"%s","patientId":"%s"}', slot, patient))""")]
        rows.append((many, *(latency(stage, job) for job in jobs)))
        say(f"{many} tenants: list {rows[-1][1][0]:.2f} ms, book {rows[-1][2][0]:.2f} ms")
    return rows


def by_queue(stage):
    """One practitioner's queue at one site: check-in counts who is before, next takes the first, the board shows all."""
    rows, mint = [], Mint(f"{stage.env['POLYCLINIC_DATA']}/secrets")
    queue.doctors(stage, queue.DOCTORS)
    account, doctor, site = stage.psql("select account || ' ' || provider || ' ' || location from bench.doctor where n = 1").split()
    for many in (10, 100, 1000, 5000):
        queue.waiting(stage, many, 1)
        caller = type(stage.door)(f"http://127.0.0.1:{stage.port('queue')}", mint.token(stage.tenant, account, "doctor", site))
        desk = type(stage.door)(f"http://127.0.0.1:{stage.port('queue')}", mint.token(stage.tenant, account, "reception", site))
        patients = stage.psql(f"select id from clinical.patient where active limit {ASKED}").split()
        called, issued, board = [], [], []
        for patient in patients:
            issued.append(desk.post("/v1/queue/walk-in", {"patientId": patient, "providerId": doctor}, key=str(uuid.uuid4())).seconds)
            called.append(caller.post("/v1/queue/next", {}, expect=200, key=str(uuid.uuid4())).seconds)
            board.append(desk.get(f"/v1/queue/today?locationId={site}").seconds)
            stage.psql("delete from queue.token where status = 'WITH_DOCTOR'")
        rows.append((many, *((statistics.median(times) * 1000, sorted(times)[-2] * 1000) for times in (issued, called, board))))
        say(f"queue of {many}: check-in {rows[-1][1][0]:.2f} ms, next {rows[-1][2][0]:.2f} ms, board {rows[-1][3][0]:.2f} ms")
    return rows


def pairs(cells):
    return " | ".join(f"{p50:.2f} / {p99:.2f}" for p50, p99, *_ in cells)


def beside(cells, small):
    tail = lambda p99, least, *counts: f"{p99 / least:.2f}" if min(counts) >= ENOUGH else "–"  # noqa: E731
    return " | ".join(f"{p50:.2f} / {p99:.2f} | {p50 / p50_small:.2f} / {tail(p99, p99_small, n, n_small)}"
                      for (p50, p99, n), (p50_small, p99_small, n_small) in zip(cells, small))


def stack(number, name):
    stage = Stage(setting("BENCH_PORT_BASE", 28080) + number, pathlib.Path(ROOT, ".local", name))
    stage.up()
    load(stage, patients_wanted=5_000, slots_wanted=0)
    empty(stage)
    return stage


def measure():
    stages = []
    try:
        stages.append(stack(100, "bench-growth"))
        queues = by_queue(stages[0])
        stages.append(stack(200, "bench-small"))
        grown, note = by_appointments(stages[1], stages[0])
        shared = by_tenants(stages[0])
    finally:
        for stage in stages:
            stage.down()
    worst = max(cell[0] / least[0] for cell, least in zip(grown[-1][3], grown[-1][4])) if grown else None
    rows = [f"| {n:,} | {took:.0f} | {disk} | {beside(cells, small)} |" for n, took, disk, cells, small in grown]
    tables = ["## How cost grows",
              f"p50 / p99 in ms. Written by `make bench ONLY=growth`; appointments and tenants at 4 connections, the queue with one request at a time through Python's client. `×` is p50 and p99 against a stack with {SIZES[0]:,} appointments, measured in turn (– where a run has fewer than {ENOUGH:,} requests).",
              "| appointments | loaded in s | database | book | × | list a day's slots | × | read an appointment | × |\n|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n" + "\n".join(rows) + (f"\n\n{note.strip()}" if note else ""),
              "| tenants | list a day's slots | book |\n|--:|--:|--:|\n" + "\n".join(f"| {n:,} | {pairs(c)} |" for n, *c in shared),
              f"| waiting | walk in: p50 / second longest of {ASKED} | call next: p50 / second longest | read the board: p50 / second longest |\n|--:|--:|--:|--:|\n" + "\n".join(f"| {n:,} | {pairs(c)} |" for n, *c in queues), "![how latency grows](benchmarks/growth.svg)"]
    names = ["book", "list slots", "read an appointment"]
    first = [(SIZES[0], grown[0][4])] if grown else []
    series = {name: [(n, cells[i][0]) for n, cells in [*first, *((row[0], row[3]) for row in grown)]] for i, name in enumerate(names)}
    series |= {f"{name} (waiting)": [(row[0], row[1 + i][0]) for row in queues] for i, name in enumerate(("walk in", "call next", "board"))}
    return {"appointments": worst, "series": series, "text": "\n\n".join(tables)}
