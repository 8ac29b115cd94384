"""Commit → effect in another service: a check-in in queue marks the appointment arrived in scheduling.

A check-in announces two facts, the token's and the audit entry's, so 250 check-ins are 500 events a second; 500 are measured beside.

Both times are Postgres' own commit times: of the token's row, which nobody touches again, and of the reaction's inbox row. The
requests come open-loop, so a slow moment delays the later ones and shows.
"""
import dataclasses
import json
import statistics
import subprocess

import profiled
from clients import built
from drive import Meter
from jobs import JOBS
from stage import REPEATS, SECONDS as RUN, say, setting

RATES, SECONDS = (250, 500), setting("BENCH_EVENT_SECONDS", 10)
TOOK = """with took as (
    select extract(epoch from pg_xact_commit_timestamp(i.xmin) - pg_xact_commit_timestamp(t.xmin)) * 1000 as ms
    from queue.token t join queue.outbox o on o.subject = t.id::text and o.type = 'queue.token.issued.v1'
    join scheduling.inbox i on i.event_id = o.id and i.reaction = 'scheduling.mark-arrived')
select count(*) || ' ' || coalesce(percentile_cont(0.5) within group (order by ms), 0) || ' ' || coalesce(percentile_cont(0.99) within group (order by ms), 0)
    || ' ' || coalesce(max(ms), 0) from took"""


def once(stage, rate):
    say(f"event: {rate} check-ins a second for {SECONDS} s")
    job, client = JOBS["checkin"], built()
    job = dataclasses.replace(job, rate=-(-rate * SECONDS // RUN))  # one wish for each request of this run
    job.prepare(stage)
    wishes, tokens = stage.file("wishes", "\n".join(job.wishes(stage)[:rate * SECONDS])), stage.file("tokens", "\n".join(job.tokens(stage)))
    stage.rested()
    meters = {name: Meter(stage, stage.pid(name)) for name in ("queue", "scheduling")}
    with profiled.of(stage, dataclasses.replace(job, name=f"event-{rate}")):
        done = subprocess.run([client, "rate", f"127.0.0.1:{stage.port('queue')}", wishes, tokens, str(rate), str(SECONDS)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"bench: the open-loop client failed: {done.stderr[-300:]}")
    sent = json.loads(done.stdout)
    stage.settle(20)
    cost = meters["queue"].each(sent["requests"])
    count, p50, p99, most = map(float, stage.psql(TOOK).split())
    return {"sent": sent["requests"], "rate": sent["rps"], "bad": sent["bad"] + max(0, sent["requests"] - int(count)), "request_p99": sent["p99"], "p50": p50, "p99": p99, "max": most,
            "queue": cost["service"], "scheduling": meters["scheduling"].each(sent["requests"])["service"], "postgres": cost["postgres"], "rabbitmq": cost["rabbitmq"]}


def at(stage, rate, repeats):
    runs = [once(stage, rate) for _ in range(repeats)]
    m = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    m["bad"] = sum(run["bad"] for run in runs)
    spread = f"{min(run['p99'] for run in runs):.1f}–{max(run['p99'] for run in runs):.1f}"
    m["row"] = (f"| {m['rate']:.0f} | {2 * m['rate']:.0f} | {m['p50']:.1f} | {m['p99']:.1f} | {m['max']:.1f} | {spread} | {m['request_p99']:.1f} | {m['queue']:.0f} | {m['scheduling']:.0f} | "
                f"{m['postgres']:.0f} | {m['rabbitmq']:.0f} | {m['bad']:.0f} |")
    return m


def measure(stage):
    figures = [at(stage, RATES[0], REPEATS), at(stage, RATES[1], 1)]
    rows = "\n".join(m["row"] for m in figures)
    text = f"""## Event, commit to effect in another service

Check-ins at a fixed rate, open loop, {SECONDS} s, medians of {REPEATS} for the first line: from the commit in queue to the commit of scheduling's reaction, both by Postgres'
commit timestamps. Each check-in announces two facts (the token's and the audit entry's) and sets off a third. No peer does this job: it is the
outbox, the broker and the inbox together.

| check-ins a second | facts a second | p50 ms | p99 ms | longest ms | spread of p99 | request p99 ms | queue µs | scheduling µs | Postgres µs | RabbitMQ µs | failed |
|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
{rows}"""
    return {"p50": figures[0]["p50"], "p99": figures[0]["p99"], "p99_twice": figures[1]["p99"], "text": text}
