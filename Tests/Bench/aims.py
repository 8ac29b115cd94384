"""What was promised, what was seen, and whether that is enough: one row for each aim."""
import math

from compare import LIMIT, OURS
from jobs import JOBS

BEYOND = (  # (section, key, comparison, value, words)
    ("event", "p99", "<=", 25, "event, commit to effect: p99 ≤ 25 ms at 500 facts/s"),
    ("fanout", "rss_sse_10000", "<=", 200, "10,000 SSE listeners in ≤ 200 MiB"),
    ("fanout", "missed", "<=", 0, "changes that a listener did not hear: 0"),
    ("memory", "idle_most", "<=", 25, "a service idle: RSS ≤ 25 MiB"),
    ("memory", "idle_sum", "<=", 250, "all services idle: RSS ≤ 250 MiB"),
    ("memory", "after_sum", "<=", 250, "all services after the run: RSS ≤ 250 MiB"),
    ("memory", "live_most", "<=", 100, "cold start: exec to /livez ≤ 100 ms"),
    ("memory", "ready_most", "<=", 100, "cold start: exec to /readyz ≤ 100 ms"),
    ("growth", "appointments", "<=", 1.2, "latency at the most appointments ≤ 1.2 × that at 10 k"),
)


def rows(record):
    """[(words, aim, figure or None, met or None)] for what the record has figures of. What ours set off and was not done meets no aim."""
    found = []
    for name, job in JOBS.items():
        figures = record.get("jobs", {}).get(name)
        for against, key, comparison, value, words in job.aims:
            figure, late = None, key == "kept" and (figures or {}).get(OURS, {}).get("late")
            if figures and OURS in figures and (against is None or against in figures or LIMIT == against and LIMIT in figures):
                ours, theirs = figures[OURS].get(key), figures[against].get(key) if against else 1
                figure = seen(ours / theirs if ours and theirs else None)
            found.append((words, comparison, value, figure, False if late else met(figure, comparison, value)))
    for section, key, comparison, value, words in BEYOND:
        figure = seen(record.get(section, {}).get(key))
        found.append((words, comparison, value, figure, met(figure, comparison, value)))
    return [(words, f"{'≥' if comparison == '>=' else '≤'} {value:,}", figure, is_met) for words, comparison, value, figure, is_met in found]


def seen(figure):
    return None if figure is None or math.isnan(figure) else figure


def met(figure, comparison, value):
    return None if figure is None else figure >= value if comparison == ">=" else figure <= value


def printed(record):
    lines = ["| aim | | seen | met |", "|---|---|---|---|"]
    for words, aim, figure, is_met in rows(record):
        shown = "not measured" if figure is None else f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"
        lines.append(f"| {words} | {aim} | {shown} | {'' if is_met is None else 'yes' if is_met else '**no**'} |")
    return "\n".join(lines)
