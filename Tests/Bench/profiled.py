"""PROFILE=1: where a job's time goes, in the service (perf) and in Postgres (pg_stat_statements)."""
import contextlib
import os
import shutil
import signal
import subprocess

from stage import ROOT, say

TOP = """select round(total_exec_time)::text || ' ms  ' || calls || ' calls  ' || round((total_exec_time / calls)::numeric, 3) || ' ms each  '
    || regexp_replace(left(query, 200), '\\s+', ' ', 'g') from pg_stat_statements order by total_exec_time desc limit 40"""


@contextlib.contextmanager
def of(stage, job):
    if not os.environ.get("PROFILE"):
        yield
        return
    folder = ROOT / ".local/profile"
    folder.mkdir(parents=True, exist_ok=True)
    stage.psql("create extension if not exists pg_stat_statements with schema public; select pg_stat_statements_reset()")
    data, recorder = folder / f"{job.name}.perf", None
    if shutil.which("perf"):
        recorder = subprocess.Popen(["perf", "record", "-q", "-F", "499", "-g", "-p", str(stage.pid(job.service)), "-o", data], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        if recorder:
            recorder.send_signal(signal.SIGINT)
            recorder.wait()
            shown = subprocess.run(["perf", "report", "--stdio", "--no-children", "-g", "none", "--percent-limit", "0.5", "-i", data], capture_output=True, text=True)
            (folder / f"{job.name}.perf.txt").write_text(shown.stdout)
        (folder / f"{job.name}.statements.txt").write_text(stage.psql(TOP) + "\n")
        say(f"profile of {job.name}: {folder}")
