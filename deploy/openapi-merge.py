#!/usr/bin/env python3
"""Join the OpenAPI documents of all services into one.

    openapi-merge.py auth.json scheduling.json … > docs/openapi.json

Each argument is the output of `<service> routes --openapi`. Fails when two services answer the same path and
method, use the same operationId, or define one component differently: then the gateway could not tell them apart.
"""
import json
import sys

HEAD = {
    "openapi": "3.1.0",
    "info": {
        "title": "Polyclinic",
        "version": "1",
        "summary": "One API for the whole clinic, behind one gateway.",
        "license": {"name": "MIT", "identifier": "MIT"},
    },
    "servers": [{"url": "/"}],
    "tags": [],
    "paths": {},
    "components": {},
}


def main(names):
    if not names:
        sys.exit(__doc__)
    merged, operations, mistakes = json.loads(json.dumps(HEAD)), {}, []
    for name in names:
        with open(name, encoding="utf-8") as file:
            document = json.load(file)
        merged["tags"] += [tag for tag in document.get("tags", []) if tag not in merged["tags"]]
        for path, item in document["paths"].items():
            for method, operation in item.items():
                known = merged["paths"].setdefault(path, {})
                if method in known:
                    mistakes.append(f"{method.upper()} {path} is answered twice; the second time in {name}")
                identifier = operation["operationId"]
                if identifier in operations:
                    mistakes.append(f"operationId {identifier} is in {operations[identifier]} and in {name}")
                operations[identifier] = name
                known[method] = operation
        for kind, components in document.get("components", {}).items():
            for key, value in components.items():
                if merged["components"].setdefault(kind, {}).setdefault(key, value) != value:
                    mistakes.append(f"components/{kind}/{key} differs in {name}")
    if mistakes:
        sys.exit("openapi-merge: " + "\nopenapi-merge: ".join(mistakes))
    merged["paths"] = dict(sorted(merged["paths"].items()))
    json.dump(merged, sys.stdout, indent=1, ensure_ascii=False)
    print()


main(sys.argv[1:])
