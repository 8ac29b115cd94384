"""Writes docs/benchmarks.md from what was measured. Prose lives in docs/benchmarks-findings.md and is never touched.

The figures are kept in docs/benchmarks/figures.json, so that one line measured anew replaces that line alone.
"""
import datetime
import json
import math
import subprocess

import aims
import draw
from compare import LIMIT, OURS
from effects import PATIENCE
from jobs import JOBS
from machine import described
from stage import PATIENTS, REPEATS, ROOT, SECONDS, SLOTS

FIGURES, PAGE = ROOT / "docs/benchmarks/figures.json", ROOT / "docs/benchmarks.md"
HEAD = ("req/s", "kept/s", "p50 ms", "p99 ms", "server µs", "Postgres µs", "Redis µs", "RabbitMQ µs", "all µs", "bytes sent", "RSS MiB", "facts owed", "failed", "spread of req/s")


def kept():
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def stamp():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "commit": commit, "seconds": SECONDS, "repeats": REPEATS,
            "patients": PATIENTS, "slots": SLOTS}


def when():
    run = stamp()
    return f"{run['date']}, commit {run['commit']}, {run['seconds']} s × {run['repeats']}"


def dated(part):
    return {**part, "text": f"{part['text']}\n\nMeasured {when()}."}


def number(value, digits=0):
    return "–" if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def table(figures):
    lines = [f"| | {' | '.join(HEAD)} |", "|---|" + "--:|" * len(HEAD)]
    for name, m in figures.items():
        cells = [number(m["rps"]), number(m.get("kept", math.nan)), number(m["p50"], 2), number(m["p99"], 2), *(number(m[key], 1) for key in ("service", "postgres", "redis", "rabbitmq")), number(m.get("all", math.nan), 1),
                 number(m["sent"]), number(m["rss"], 1), number(m.get("behind", math.nan)), number(m["bad"]), f"{number(m['least'])}–{number(m['most'])}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def ratios(figures):
    mine, parts = figures[OURS], []
    for name, theirs in figures.items():
        if name.startswith(OURS):
            continue
        more = "" if name == LIMIT else "".join(f", {word} {mine[key] / theirs[key]:.2f}" for key, word in (("p99", "p99"), ("service", "server µs"), ("postgres", "Postgres µs"), ("rss", "RSS")) if theirs[key])
        more += f", all µs {mine['all'] / theirs['all']:.2f}" if not math.isnan((mine.get("all") or math.nan) * (theirs.get("all") or math.nan)) else ""
        held = f", kept/s {mine['kept'] / theirs['kept']:.2f}" if not math.isnan((mine.get("kept") or math.nan) * (theirs.get("kept") or math.nan)) else ""
        parts.append(f"ours ÷ {name}: req/s {mine['rps'] / theirs['rps']:.2f}{held}{more}")
    return "; ".join(parts)


def section(name, figures):
    job, found = JOBS[name], figures.get("found", "")
    sides = {who: one for who, one in figures.items() if isinstance(one, dict)}
    found += "".join(f" What {who} set off was not done after {PATIENCE} s ({one['late']} of its runs): no kept/s." for who, one in sides.items() if one.get("late"))
    return f"### {job.title}\n\n`{name}`, {job.connections} connections.{found} Measured {figures['when']}.\n\n{table(sides)}\n\n{ratios(sides)}"


def rows(head, lines):
    return "\n".join([f"| {' | '.join(head)} |", "|---|" + "--:|" * (len(head) - 1), *(f"| {' | '.join(map(str, line))} |" for line in lines)])


def page(record):
    run = record.get("run", {})
    parts = ["# Benchmarks", f"""Written by `make bench`; what the figures taught us is in [what we found](benchmarks-findings.md), what each side does
in [Tests/Bench](../Tests/Bench/README.md). The load generator, the servers, Postgres and pgbench share the machine: read ratios.""", rows(("", ""), [*described().items(), ("Last whole run", f"{run.get('date')}, commit {run.get('commit')}"),
                     ("Data", f"{run.get('patients', 0):,} patients, {run.get('slots', 0):,} slots; tokens, row-level security, encryption, audit, idempotency, outbox, fsync on"),
                     ("Each figure", f"median of {run.get('repeats')} × {run.get('seconds')} s, all sides in turn, unless its line says otherwise")]),
             "## Aims", aims.printed(record), "![requests a second, ours against each](benchmarks/ratios.svg)"]
    if record.get("jobs"):
        parts += ["## Jobs", *(section(name, record["jobs"][name]) for name in JOBS if name in record["jobs"])]
    for key in ("event", "fanout", "memory", "growth"):
        if record.get(key):
            parts.append(record[key]["text"])
    return "\n\n".join(parts) + "\n"


def plain(value):
    """What JSON can hold: no NaN."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def write(record):
    record = plain(record)
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n")
    draw.all(record, FIGURES.parent)
    PAGE.write_text(page(record))
