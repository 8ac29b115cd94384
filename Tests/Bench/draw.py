"""Two pictures in plain SVG: bars of ratios, lines of growth. They are read on light and dark pages alike."""
import math

from compare import LIMIT, OURS
from jobs import JOBS

INK, COLOURS = "#6e7781", {"Go": "#1f77b4", "FastAPI": "#2ca02c", LIMIT: "#b07aa1"}


def svg(width, height, parts):
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">\n' + "\n".join(parts) + "\n</svg>\n"


def text(x, y, words, anchor="start", colour=INK):
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{colour}">{words}</text>'


def ratio_bars(jobs):
    """Ours over theirs on a logarithmic scale; the line in the middle is 1."""
    parts, y, left, unit = [], 40, 260, 110
    at = lambda ratio: left + 160 + unit * max(-1.3, min(1.9, math.log10(ratio)))  # noqa: E731
    parts.append(text(left, 20, "requests a second, ours ÷ theirs (logarithmic)"))
    for name in JOBS:
        figures = jobs.get(name, {})
        others = [who for who in ("Go", "FastAPI", LIMIT) if who in figures]
        if not others or OURS not in figures:
            continue
        parts.append(text(left - 30, y + 12, JOBS[name].title, "end"))
        for who in others:
            ratio = figures[OURS]["rps"] / figures[who]["rps"]
            x = min(at(1), at(ratio))
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(1, abs(at(ratio) - at(1))):.1f}" height="11" fill="{COLOURS[who]}"/>')
            parts.append(text(max(at(1), at(ratio)) + 5, y + 10, f"{ratio:.2f} × {who}"))
            y += 14
        y += 8
    parts.append(f'<line x1="{at(1)}" y1="30" x2="{at(1)}" y2="{y}" stroke="{INK}"/>')
    return svg(860, y + 10, parts)


def growth_lines(series):
    """Each series is [(n, ms)]; both axes are logarithmic."""
    points = [point for line in series.values() for point in line]
    if len(points) < 2:
        return None
    low, high = (f(math.log10(max(1e-3, value)) for _, value in points) for f in (min, max))
    least, most = (f(math.log10(max(1, n)) for n, _ in points) for f in (min, max))
    x = lambda n: 60 + 440 * (math.log10(max(1, n)) - least) / max(1e-9, most - least)  # noqa: E731
    y = lambda ms: 280 - 230 * (math.log10(max(1e-3, ms)) - low) / max(1e-9, high - low)  # noqa: E731
    palette, parts = ["#1f77b4", "#2ca02c", "#b07aa1", "#d62728", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"], [text(60, 20, "p50 in ms against how much there is (both logarithmic)")]
    for index, (name, line) in enumerate(series.items()):
        colour = palette[index % len(palette)]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{x(n):.1f},{y(ms):.1f}" for n, ms in line)}"/>')
        parts += [f'<circle cx="{x(n):.1f}" cy="{y(ms):.1f}" r="3" fill="{colour}"/>' for n, ms in line]
        parts.append(text(520, 50 + 18 * index, f"{name}: {line[0][1]:.2f} → {line[-1][1]:.2f}", colour=colour))
    parts += [text(x(10 ** power), 300, f"{10 ** power:,}", "middle") for power in range(math.ceil(least), math.floor(most) + 1)]
    return svg(760, 310, parts)


def all(record, folder):
    (folder / "ratios.svg").write_text(ratio_bars(record.get("jobs", {})))
    lines = record.get("growth", {}).get("series")
    drawn = growth_lines(lines) if lines else None
    if drawn:
        (folder / "growth.svg").write_text(drawn)
