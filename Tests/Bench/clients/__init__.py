"""Builds the bench's own clients (Go, standard library only)."""
import os
import pathlib
import shutil
import subprocess

from peers.servers import LOCAL


def built():
    if not shutil.which("go"):
        raise SystemExit("bench: event and fanout need Go for their clients: apt-get install golang-go")
    LOCAL.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["go", "build", "-o", LOCAL / "clients", "."], cwd=pathlib.Path(__file__).parent / "go", capture_output=True, text=True,
                          env={**os.environ, "GO111MODULE": "off", "GOCACHE": str(LOCAL / "gocache")})
    if done.returncode:
        raise SystemExit(f"bench: the clients do not compile:\n{done.stderr}")
    return LOCAL / "clients"
