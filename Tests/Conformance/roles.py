#!/usr/bin/env python3
"""schemathesis against every route as several roles: no 5xx, and answers are what the document says.

    roles.py <schemathesis> <folder for reports>      CASES=10 (for each route and role)  SEED=1  ROLES=admin,doctor
"""
import os
import re
import subprocess
import sys
import time

from wire import GATEWAY, Clinic

program, folder = map(os.path.abspath, sys.argv[1:3])
os.makedirs(folder, exist_ok=True)
failed = 0
for role in os.environ.get("ROLES", "admin,doctor,reception,pharmacist,patient,nobody").split(","):
    headers = [] if role == "nobody" else ["-H", f"Authorization: Bearer {Clinic().as_(role).token}"]
    began = time.monotonic()
    result = subprocess.run(
        [program, "--config-file", os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml"), "run",
         f"http://127.0.0.1:{GATEWAY}/v1/openapi.json", *headers, "--phases", "coverage,fuzzing",
         "--max-examples", os.environ.get("CASES", "10"), "--seed", os.environ.get("SEED", "1"), "--no-shrink",
         "--checks", "not_a_server_error,content_type_conformance,response_schema_conformance,status_code_conformance",
         # Streams do not end; a login that fails too often is slowed down; a logout would end the role's own session.
         "--exclude-path-regex", "/v1/queue/display/events|/v1/notifications/live|/v1/auth/log(in|out)|/docs|^/$",
         "--continue-on-failure", "--request-timeout", "20", "--suppress-health-check", "all", "--warnings", "off", "--max-time", os.environ.get("LIMIT", "60")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder)
    with open(f"{folder}/{role}.txt", "w") as report:
        report.write(result.stdout)
    cases = re.search(r"(\d[\d,]*) generated", result.stdout)
    found = re.findall(r"^- (.+)$", result.stdout, re.M)
    counts = {what: found.count(what) for what in dict.fromkeys(found)}
    print(f"  {role:11} {cases[1] if cases else '?'} cases, {time.monotonic() - began:.0f} s, {counts or 'nothing found'}")
    failed += result.returncode != 0
sys.exit(1 if failed else 0)
