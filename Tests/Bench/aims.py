"""What was promised, what was seen, and whether that is enough: one row for each aim."""
from compare import LIMIT, OURS
from jobs import JOBS

BEYOND = (  # (section, key, comparison, value, words)
    ("event", "p99", "<=", 25, "event, commit to effect: p99 ≤ 25 ms at 500 facts/s"),
    ("fanout", "rss_sse_10000", "<=", 200, "10,000 SSE listeners in ≤ 200 MiB"),
    ("memory", "idle_most", "<=", 25, "a service idle: RSS ≤ 25 MiB"),
    ("memory", "idle_sum", "<=", 250, "all services idle: RSS ≤ 250 MiB"),
    ("memory", "live_most", "<=", 100, "cold start: exec to /livez ≤ 100 ms"),
    ("growth", "appointments", "<=", 1.2, "latency at the most appointments ≤ 1.2 × that at 10 k"),
)


def rows(record):
    """[(words, aim, figure or None, met or None)] for what the record has figures of."""
    found = []
    for name, job in JOBS.items():
        figures = record.get("jobs", {}).get(name)
        for against, key, comparison, value, words in job.aims:
            figure = None
            if figures and OURS in figures and (against is None or against in figures or LIMIT == against and LIMIT in figures):
                ours, theirs = figures[OURS].get(key), figures[against].get(key) if against else 1
                figure = ours / theirs if ours and theirs else None
            found.append((words, comparison, value, figure))
    for section, key, comparison, value, words in BEYOND:
        found.append((words, comparison, value, record.get(section, {}).get(key)))
    return [(words, f"{'≥' if comparison == '>=' else '≤'} {value:,}", figure, None if figure is None else figure >= value if comparison == ">=" else figure <= value)
            for words, comparison, value, figure in found]


def printed(record):
    lines = ["| aim | | seen | met |", "|---|---|---|---|"]
    for words, aim, figure, met in rows(record):
        shown = "not measured" if figure is None else f"{figure:,.0f}" if figure >= 100 else f"{figure:.2f}"
        lines.append(f"| {words} | {aim} | {shown} | {'' if met is None else 'yes' if met else '**no**'} |")
    return "\n".join(lines)
