#!/usr/bin/env python3
"""schemathesis against every service: no 5xx, and answers are what the document says.

    roles.py <schemathesis> <folder for reports>
    CASES=1000 (at least so many for each service; `make conformance ONLY=schemathesis CASES=10000`)  ROLES=admin,doctor,…  SEED=1  SERVICES=billing,queue  QUICK=1

Each service is tried as the roles that may do most in it and as nobody, two services at a time, with operations in the
order that links and Location headers suggest (the stateful phase) too, until there are enough cases; auth after all others. QUICK takes only
the first role. A service with fewer cases than were asked for fails the step, however little was found.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

from wire import GATEWAY, SERVICES, Clinic

program, folder = map(os.path.abspath, sys.argv[1:3])
here = os.path.dirname(os.path.abspath(__file__))
os.makedirs(folder, exist_ok=True)
WANTED, SEED = int(os.environ.get("CASES", "1000")), int(os.environ.get("SEED", "1"))
ROLES, QUICK = os.environ.get("ROLES"), bool(os.environ.get("QUICK"))
# Who may do most there, then who may do least.
WHO = {"auth": ["admin"], "scheduling": ["admin", "reception"], "queue": ["reception", "doctor"], "clinical": ["doctor", "reception"],
       "pharmacy": ["pharmacist", "admin"], "billing": ["reception", "admin"], "notifications": ["admin", "patient"],
       "reporting": ["admin"], "portal": ["admin"]}
# Streams do not end. Logins that fail slow down the address they come from and a logout ends the session whose token it
# is given, so those two are tried by nobody alone, straight at auth and from an address of their own.
STREAMS = r"/v1/queue/display/events|/v1/notifications/live|/docs|^/$"
DOORS = r"/v1/auth/log(in|out)"
# Where no operation leads to another schemathesis calls the stateful phase an error.
PHASES, LINKED = "coverage,fuzzing", {
    tag for path in json.load(urllib.request.urlopen(f"http://127.0.0.1:{GATEWAY}/v1/openapi.json"))["paths"].values() for operation in path.values()
    if any("links" in answer for answer in operation["responses"].values()) for tag in operation["tags"]}
CHECKS = "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance"


def run(service, role, seed, examples, limit):
    doors = role == "doors"
    if doors:
        where = ["--url", f"http://127.0.0.1:{GATEWAY + 1}", "-H", "X-Forwarded-For: 192.0.2.88", "--include-path-regex", DOORS]
    else:
        where = ["--exclude-path-regex", f"{STREAMS}|{DOORS}"]
    headers = [] if role in ("nobody", "doors") else ["-H", f"Authorization: Bearer {Clinic().as_(role).token}"]
    work = f"{folder}/{service}"
    os.makedirs(work, exist_ok=True)
    result = subprocess.run(
        [program, "--config-file", f"{here}/schemathesis.toml", "run", f"http://127.0.0.1:{GATEWAY}/v1/openapi.json", *headers,
         "--include-tag", service, *where, "--phases", PHASES + ",stateful" * (service in LINKED), "--max-examples", str(examples),
         "--seed", str(seed), "--no-shrink", "--checks", CHECKS, "--continue-on-failure", "--request-timeout", "20",
         "--suppress-health-check", "all", "--warnings", "off", "--max-time", str(limit)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=work)
    with open(f"{folder}/{service}.{role}.{seed}.txt", "w") as report:
        report.write(result.stdout)
    cases = re.search(r"(\d[\d,]*) generated", result.stdout)
    return int(cases[1].replace(",", "")) if cases else 0, result.returncode, re.findall(r"^- (.+)$", result.stdout, re.M)


def explore(service):
    """As one role after another, with new seeds, until there are enough or the seeds bring nothing new."""
    began, total, failed, found, seed, idle = time.monotonic(), 0, 0, [], SEED, 0
    roles = ROLES.split(",") if ROLES else WHO[service][:1] if QUICK else WHO[service] + ["nobody"] + ["doors"] * (service == "auth")
    # A seed gives new cases; a service whose routes are few gives up after so many seeds that had hardly any.
    patience = 3 if WANTED <= 1000 else 30
    while (total < WANTED or seed - SEED < len(roles)) and idle < patience:
        role = roles[(seed - SEED) % len(roles)]
        cases, code, what = run(service, role, seed, 10 if QUICK or role == "nobody" else 40 if WANTED <= 1000 else 200, int(os.environ.get("LIMIT", "20" if QUICK else "120")))
        idle = idle + 1 if cases < 20 else 0
        total, failed, found, seed = total + cases, failed + (code != 0), found + what, seed + 1
    counts = {what: found.count(what) for what in dict.fromkeys(found)}
    print(f"  {service:14} {total:6} cases, {time.monotonic() - began:4.0f} s, {counts or 'nothing found'}", flush=True)
    if failed and not found:
        print(f"  {service:14} schemathesis failed: see {folder}/{service}.*.txt")
    if total < WANTED:
        print(f"  {service:14} {WANTED} cases were asked for: {WANTED - total} are missing")
    return total, failed


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    services = os.environ["SERVICES"].split(",") if os.environ.get("SERVICES") else SERVICES
    results = list(pool.map(explore, [s for s in services if s != "auth"]))
# Last and alone: whom an administrator finds there and deactivates, or gives another password, signs in no more.
results += [explore(s) for s in services if s == "auth"]
missing = sum(max(0, WANTED - total) for total, _ in results)
done = sum(total for total, _ in results)
print(f"  {done} of {done + missing} cases")
sys.exit(1 if missing or any(failed for _, failed in results) else 0)
