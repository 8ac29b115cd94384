"""What the services hold in memory, and how long a cold one takes to answer."""
import math
import os
import statistics
import subprocess
import time
import urllib.request

from machine import rss
from stage import ROOT, SERVICES, say


def idle(stage):
    return {name: rss(stage.pid(name)) for name in SERVICES}


def cold_start(stage, name):
    """exec to the first 200 of /livez and of /readyz, in ms; None when the start could not be watched."""
    stage.stack("stop", name)
    starter = subprocess.Popen([ROOT / "deploy/local/stack", "start", name], env=stage.variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began, spawned, times = time.perf_counter(), None, {}
    while len(times) < 2 and time.perf_counter() - began < 20:
        if spawned is None:
            try:
                if not os.readlink(f"/proc/{stage.pid(name)}/exe").endswith(f"/{name}"):
                    continue
            except (OSError, ValueError):
                continue
            spawned = time.perf_counter()
        path = "readyz" if "livez" in times else "livez"
        try:
            urllib.request.urlopen(f"{stage.health(name)}/{path}", timeout=1).close()
            times[path] = (time.perf_counter() - spawned) * 1000
        except OSError:
            pass
    starter.wait()
    return (times["livez"], times["readyz"]) if len(times) == 2 else None


def measure(stage):
    """What the services hold after all that was measured, how they start, and what new ones hold whom nobody has called."""
    time.sleep(10)  # a crowd that has just gone is still being let go of
    after, starts = idle(stage), {}
    for name in SERVICES:
        say(f"cold start: {name}")
        seen = [found for found in (cold_start(stage, name) for _ in range(3)) if found]
        starts[name] = tuple(statistics.median(column) for column in zip(*seen)) if seen else (float("nan"), float("nan"))
    time.sleep(2)
    before = idle(stage)
    lines = [f"| {name} | {before[name]:.1f} | {after[name]:.1f} | {starts[name][0]:.0f} | {starts[name][1]:.0f} |" for name in SERVICES]
    lines.append(f"| all | {sum(before.values()):.1f} | {sum(after.values()):.1f} | | |")
    text = "## Memory and cold start\n\nTen seconds after the run: also what ten thousand listeners left in queue and notifications, where fan-out was measured before.\n\n| | RSS idle MiB | RSS after the run MiB | live ms | ready ms |\n|---|--:|--:|--:|--:|\n" + "\n".join(lines)
    live, ready = (worst(column) for column in zip(*starts.values()))
    return {"idle_most": max(before.values()), "idle_sum": sum(before.values()), "after_sum": sum(after.values()), "live_most": live, "ready_most": ready, "text": text}


def worst(column):
    """Of all, or of none: a start that could not be watched may be the worst."""
    return float("nan") if any(map(math.isnan, column)) else max(column)
