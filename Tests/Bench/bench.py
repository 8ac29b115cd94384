"""`make bench`: what each job costs, beside pgbench with the same statements and peers in Go and FastAPI.

usage: make bench [ONLY=a,b…] [PROFILE=1]       in all about 25 minutes on 2 cores; make bench ONLY=growth is a run of its own

lines    {lines}
         event (commit → effect elsewhere), fanout (SSE, WebSocket), memory (and cold start), growth, load (only the data)
settings BENCH_SECONDS (3) BENCH_REPEATS (3) BENCH_PATIENTS (100000) BENCH_SLOTS (1000000) BENCH_PEERS (1) BENCH_PORT_BASE (28080)
         BENCH_HOME (.local/bench) BENCH_KEEP=1 leaves the stack up BENCH_DRY=1 leaves docs/benchmarks.md alone
         PROFILE=1 writes perf's report of the service and pg_stat_statements' top 40 of each job to .local/profile

A private stack, everything on that protects a user. All sides are measured in turn within one run, medians of the repeats.
It writes docs/benchmarks.md, replacing the lines that were measured. README.md here says how to read them.
"""
import os
import signal
import sys
import time
import traceback

import aims
import event
import fanout
import memory
import profiled
import report
from compare import OURS, Progress, compare
from jobs import JOBS
from load import load
from stage import Stage, say

EXTRA = ["event", "fanout", "memory"]
ALONE = ["growth", "load"]


def chosen(words):
    names = [name for word in words for name in word.replace(",", " ").split()]
    if any(name in ("help", "-h", "--help") for name in names):
        print(__doc__.format(lines=" ".join(JOBS)))
        raise SystemExit(0)
    names = [job for name in names for job in (["search-exact", "search-prefix", "search-misspelt"] if name == "search" else [name])]
    for name in names:
        if name not in [*JOBS, *EXTRA, *ALONE]:
            raise SystemExit(f"bench: there is no line '{name}'; there are: {' '.join([*JOBS, *EXTRA, *ALONE])}")
    return names or [*JOBS, *EXTRA]


def amiss(name, record):
    """What makes a line that was measured a failure all the same."""
    if name in JOBS:
        bad = record["jobs"][name][OURS]["bad"]
        return bad and f"{bad} requests of ours FAILED"
    missed = record[name].get("missed")
    return missed and f"{missed:,} times a listener did not hear: FAILED"


def measure(stage, names, record):
    """Measures line after line; what one of them cannot do costs no other its figures. Says which failed."""
    peers, failed = os.environ.get("BENCH_PEERS", "1") == "1", []
    load(stage)
    progress = Progress([JOBS[name] for name in names if name in JOBS], peers)

    def job(name):
        with profiled.of(stage, JOBS[name]):
            figures = compare(stage, JOBS[name], peers, progress)
        found = {who: n for (of, who), n in getattr(stage, "found", {}).items() if of == name}
        if found:
            figures["found"] = figures.get("found", "") + " On the first page, of 40 meant: " + ", ".join(f"{who} {n}" for who, n in found.items()) + "."
        record.setdefault("jobs", {})[name] = {**figures, "when": report.when()}
        return report.section(name, record["jobs"][name])

    def other(name, take):
        record[name] = report.dated(take())
        return record[name]["text"]

    others = {"event": lambda: event.measure(stage), "fanout": lambda: fanout.measure(stage), "memory": lambda: memory.measure(stage)}
    for name in [*JOBS, *others]:
        if name not in names:
            continue
        try:
            print(f"\n{job(name) if name in JOBS else other(name, others[name])}\n", flush=True)
            if amiss(name, record):
                say(f"{name}: {amiss(name, record)}")
                failed.append(name)
        except (SystemExit, Exception) as failure:  # noqa: BLE001 - the other lines are measured, and the bench says so at its end
            if not isinstance(failure, SystemExit):
                traceback.print_exc()
            say(f"{name} FAILED, going on with the next line: {failure}")
            failed.append(name)
    return failed


def main():
    names, began = chosen(sys.argv[1:]), time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Told to end, it takes its stack and its peers down too.
    record, failed = report.kept(), []
    if names == ["growth"]:
        import growth
        record["growth"] = report.dated(growth.measure())
        print(f"\n{record['growth']['text']}\n")
    else:
        stage = Stage()
        try:
            stage.up()
            if names == ["load"]:
                return load(stage)
            failed = measure(stage, names, record)
        except KeyboardInterrupt:
            raise SystemExit("bench: stopped; nothing was written. The data stays for the next run.") from None
        finally:
            if not os.environ.get("BENCH_KEEP"):
                stage.down()
        if not sys.argv[1:] or "run" not in record:
            record["run"] = report.stamp()
    print(f"\n{aims.printed(record)}\n")
    if not os.environ.get("BENCH_DRY"):
        report.write(record)
        say(f"wrote docs/benchmarks.md after {(time.monotonic() - began) / 60:.0f} minutes")
    if failed:
        raise SystemExit(f"bench: {' '.join(failed)} failed, and what could not be measured keeps its older figures; see above, mend it, and run make bench ONLY={','.join(failed)}")


if __name__ == "__main__":
    main()
