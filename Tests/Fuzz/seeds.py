#!/usr/bin/env python3
"""Writes an input of target `event` for each golden event, twice: in its envelope (first byte 255), and as data behind the place of its
name among all names, which is how the target counts."""
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
CORPUS = ROOT / "Tests/Fuzz/Corpus/event"
ENVELOPE = (b'{"specversion":"1.0","id":"01934500-0000-7000-8000-000000000001","type":"%s","subject":"s","time":"2026-11-20T04:00:00Z",'
            b'"tenantid":"01934500-0000-7000-8000-000000000002","data":%s}')

golden = {file.name.removesuffix(".json"): file.read_bytes().strip() for file in (ROOT / "Tests/Contracts/Golden").glob("*.json")}
wanted = {}
for place, name in enumerate(sorted(golden)):
    wanted[name] = b"\xff" + ENVELOPE % (name.encode(), golden[name])
    wanted[f"{name}.data"] = bytes([place]) + golden[name]
for name, content in wanted.items():
    file = CORPUS / name
    if not file.exists() or file.read_bytes() != content:
        file.write_bytes(content)
