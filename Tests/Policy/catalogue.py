"""Fails on an event nobody announces, on a reaction to nothing, and on an event the documentation does not know.

usage: catalogue.py docs/asyncapi.json < lines of `<service> routes --events` of all services
"""
import json
import re
import sys

lines = [line.split() for line in sys.stdin if line.strip() and not line.startswith("#")]
announced = {line[1] for line in lines if line[0] == "announces"} | {"audit.entry.recorded.v1", "audit.access.recorded.v1", "audit.facts.sent.v1"}  # every service leaves audit entries, and its database counts them
reacted = {line[2] for line in lines if line[0] == "reacts"}
names = [line[-1] for line in lines if line[0] == "reacts"]
documented = set(re.findall(r'"([a-z_]+\.[a-z_]+\.[a-z_]+\.v\d+)"', json.dumps(json.load(open(sys.argv[1])))))

mistakes = [f"{name} is reacted to, but nobody announces it" for name in sorted(reacted - announced)]
mistakes += [f"{name} is announced, but the catalogue does not know it" for name in sorted(announced - documented)]
mistakes += [f"{name} is in the catalogue, but nobody announces it" for name in sorted(documented - announced)]
mistakes += [f"two reactions share the queue {name}" for name in sorted({n for n in names if names.count(n) > 1})]
if mistakes or not reacted:
    sys.exit("\n".join(mistakes) or "no service says what it reacts to")
print(f"{len(announced)} events are announced and documented, {len(names)} reactions each have their own queue")
