"""`make mutants`: breaks the guard of each promise on purpose and sees that a test notices.

A mutant that survives is a hole in the tests; so is one that a test fell over for another reason: what is said by every test
that noticed must match `says`, where the mutant has it. A test that must still pass beside it (`still_passes`) shows that a
second guard holds alone. SQL mutants (`mutants/sql.toml`) change the database under services that
run; source mutants (`mutants/source.toml`) are built in a copy of the tree and run in place of one service. After each,
the database is put back as it was, so that no mutant sees another's damage.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Journeys")]
import psycopg  # noqa: E402

import checks  # noqa: E402
from clinic import PASSWORD, Clinic, replace, stack_environment  # noqa: E402
from stage import SERVICES  # noqa: E402

ENV = stack_environment()
HOME = os.environ.get("POLYCLINIC_HOME", os.path.join(ROOT, ".local"))
TREE = os.environ.get("MUTANT_TREE", os.path.join(HOME, "mutants", "tree"))
BINARIES = os.path.join(HOME, "mutants", "bin")
FLAGS = ["-c", "debug"]  # a change costs seconds, and what it breaks is broken at any speed


def say(text):
    print(text, flush=True)


# --- the database, as it was --------------------------------------------------------------------

def admin():
    return psycopg.connect(ENV["POSTGRES_URL"].rsplit("/", 1)[0] + "/postgres", autocommit=True)


def save():
    """A copy of the database to come back to. Services lose their connections for a moment, and know how."""
    with psycopg.connect(ENV["POSTGRES_URL"], autocommit=True) as database:
        left = checks.settle(database, ENV["AMQP_ADMIN_URL"], 30)
        if left:
            sys.exit(f"the stack is not quiet: {left}")
    copy("polyclinic", "polyclinic_clean")
    # What rests in the database is worth nothing without the keys that it rests under, and journeys exchange them.
    for name in ("master_key", "password_pepper", "index_key"):
        file = pathlib.Path(ENV["POLYCLINIC_DATA"], "secrets", name)
        kept[file] = file.read_text()


kept = {}


def restore():
    """Back to what was saved. Versions, keys and numbers go back too, so what anybody remembers of them is worth nothing."""
    for service in SERVICES:
        stack("kill", service)
    copy("polyclinic_clean", "polyclinic")
    for file, text in kept.items():
        replace(file, text)
    subprocess.run(["redis-cli", "-p", ENV["TEST_REDIS_PORT"], "-a", ENV["TEST_REDIS_PASSWORD"], "--no-auth-warning", "FLUSHALL"],
                   check=True, capture_output=True)
    for service in SERVICES:
        stack("start", service)
    wait_until_healthy()
    # A stack that is broken by itself would fail every test, and every mutant would look caught.
    answer = Clinic(ENV["POLYCLINIC_URL"]).call("POST", "/v1/auth/login", {"email": "admin@demo.example", "password": PASSWORD})
    if answer.status != 200:
        sys.exit(f"the stack is not sound any more, so nothing that follows would be proof: {answer!r}")


def copy(source, target):
    with admin() as server:
        for _ in range(50):
            try:
                server.execute(f"drop database if exists {target} with (force)")
                server.execute(f"alter database {source} with allow_connections false")
                server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [source])
                server.execute(f"create database {target} template {source} strategy file_copy")
                break
            except psycopg.errors.ObjectInUse:
                time.sleep(0.05)
        for name in (source, target):
            server.execute(f"alter database {name} with allow_connections {str(name != 'polyclinic_clean').lower()}")
        # What belongs to a database and not into its copy: deploy/postgres/roles.sql.
        server.execute("grant create on database polyclinic to polyclinic_migrator")
        server.execute("revoke temporary on database polyclinic from public")


def wait_until_healthy():
    door, until = Clinic(ENV["POLYCLINIC_URL"]), time.monotonic() + 60
    while True:
        try:
            if door.call("GET", "/health").status == 200:
                return
        except OSError:
            pass
        if time.monotonic() > until:
            sys.exit("the stack does not become healthy")
        time.sleep(0.1)


# --- building -----------------------------------------------------------------------------------

def copy_tree():
    """Brings the copy up to date; a file that has not changed keeps its time, so that it is not built again."""
    # With what is new and not committed yet, and without what is gone: it is the tree as it is that is changed.
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "Package.swift", "Package.resolved", "Services",
                             "Shared", "Tests"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    listed = [name for name in dict.fromkeys(listed) if os.path.exists(os.path.join(ROOT, name))]
    for name in listed:
        source, target = os.path.join(ROOT, name), os.path.join(TREE, name)
        with open(source, "rb") as file:
            wanted = file.read()
        if os.path.exists(target):
            with open(target, "rb") as file:
                if file.read() == wanted:
                    continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(wanted)
    for folder in ("Services", "Shared"):  # what is gone here must go there
        for path, _, files in os.walk(os.path.join(TREE, folder)):
            for file in files:
                name = os.path.relpath(os.path.join(path, file), TREE)
                if name.endswith((".swift", ".sql")) and name not in listed:
                    os.remove(os.path.join(TREE, name))


def groups(mutants):
    """What is built at once: mutants of different services together, one of Shared alone."""
    made = []
    for name, mutant in mutants.items():
        if mutant["file"].startswith("Shared/"):
            made.append({name: mutant})
            continue
        for group in made:
            if all(not m["file"].startswith("Shared/") and m["service"] != mutant["service"] for m in group.values()):
                group[name] = mutant
                break
        else:
            made.append({name: mutant})
    return made


def build(group):
    copy_tree()
    for name, mutant in group.items():
        path = os.path.join(TREE, mutant["file"])
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if text.count(mutant["old"]) != 1:
            sys.exit(f"{name}: what it changes is there {text.count(mutant['old'])} times in {mutant['file']}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(mutant["old"], mutant["new"]))
    for name, mutant in group.items():
        done = subprocess.run(["swift", "build", *FLAGS, "--product", mutant["service"]], cwd=TREE, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stdout.splitlines() if "error" in line]
            say(f"  {name} does not build: " + "\n".join(errors[:5]))
        else:
            shutil.copy2(os.path.join(TREE, ".build/debug", mutant["service"]), os.path.join(BINARIES, name))


def build_all(mutants, reuse):
    """Returns those that do not build: the others are proved all the same."""
    os.makedirs(BINARIES, exist_ok=True)
    if not reuse:
        for name in os.listdir(BINARIES):
            os.remove(os.path.join(BINARIES, name))
    wanted = {n: m for n, m in mutants.items() if not (reuse and os.path.exists(os.path.join(BINARIES, n)))}
    for number, group in enumerate(all_groups := groups(wanted), 1):
        began = time.monotonic()
        build(group)
        say(f"  built {number} of {len(all_groups)}: {', '.join(group)}, {time.monotonic() - began:.0f} s")
    copy_tree()
    return [name for name in mutants if not os.path.exists(os.path.join(BINARIES, name))]


# --- proving ------------------------------------------------------------------------------------

def stack(*arguments):
    subprocess.run([ENV["POLYCLINIC_STACK"], *arguments], check=True, capture_output=True, text=True)


class Running:
    """A service's binary, changed for as long as this lasts."""

    def __init__(self, name, mutant):
        self.service = mutant.get("service") if "file" in mutant else None
        self.path = os.path.join(ENV["POLYCLINIC_DATA"], "bin", self.service or "")
        self.binary = os.path.join(BINARIES, name)

    def __enter__(self):
        if self.service:
            shutil.copy2(self.path, self.binary + ".sound")
            self.swap(self.binary)

    def __exit__(self, *_):
        if self.service:
            self.swap(self.binary + ".sound")
            os.remove(self.binary + ".sound")

    def swap(self, binary):
        stack("kill", self.service)
        os.remove(self.path)
        shutil.copy2(binary, self.path)
        stack("start", self.service)
        wait_until_healthy()


def test(catcher):
    """(whether it passes, the reason when it does not, everything it said)"""
    command = {"demo": [sys.executable, f"{ROOT}/Tests/Journeys/demo.py"]}.get(catcher)
    if catcher.split()[0] == "chaos":
        command = [sys.executable, f"{HERE}/chaos.py", *catcher.split()[1:]]
    command = command or [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", "--tb=line",
                          f"{ROOT}/Tests/Journeys/{catcher}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **ENV}, timeout=900)
    said = done.stdout + done.stderr
    if done.returncode == 0:
        return True, "", said
    told = [line for line in said.splitlines() if "Error" in line or "✗" in line or "Unexpected" in line or line.startswith("      ")]
    return False, (told or said.splitlines()[-1:] or [""])[0].strip()[-160:], said


def prove(name, mutant):
    """Whether every test that must notice did, and every test whose own guard still stands passed."""
    began = time.monotonic()
    if "sql" in mutant:
        with psycopg.connect(ENV["POSTGRES_URL"], autocommit=True) as database:
            database.execute(mutant["sql"])
    with Running(name, mutant):
        results = {catcher: test(catcher) for catcher in mutant["caught_by"]}
        standing = {name: test(name) for name in mutant.get("still_passes", [])}
    restore()
    fallen = [name for name, (passed, _, _) in standing.items() if not passed]
    # A test that fails for another reason has not seen the mutant.
    beside = [catcher for catcher, (passed, _, said) in results.items() if not passed and not re.search(mutant.get("says", ""), said)]
    caught = not any(passed for passed, _, _ in results.values()) and not fallen and not beside
    say(f"  {'caught  ' if caught else 'FELL    ' if fallen else 'SURVIVED'} {mutant['promise']:<4} {name:<36} {time.monotonic() - began:5.1f} s")
    for catcher, (passed, reason, _) in results.items():
        told = "PASSED" if passed else f"fails, and does not say {mutant['says']!r}: {reason}" if catcher in beside else reason
        say(f"           {catcher.split('::')[-1]}: {told}")
    for standing_name, (passed, reason, _) in standing.items():
        say(f"           {standing_name.split('::')[-1]}: {'still passes' if passed else 'FELL: ' + reason}")
    return caught


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="names of mutants; all when none is given")
    parser.add_argument("--sql", action="store_true", help="only those that need no build")
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--chaos", action="store_true", help="see whether the whole of make chaos notices, whatever else would")
    parser.add_argument("--reuse", action="store_true", help="take binaries that an earlier run built")
    options = parser.parse_args()
    mutants = {}
    for file in ("sql.toml", "source.toml"):
        with open(os.path.join(HERE, "mutants", file), "rb") as text:
            mutants.update(tomllib.load(text))
    mutants = {n: m for n, m in mutants.items() if (not options.only or n in options.only) and not (options.sql and "file" in m)}
    if not mutants:
        sys.exit("there is no such mutant")
    if options.chaos:
        mutants = {name: {**mutant, "caught_by": ["chaos"], "says": ""} for name, mutant in mutants.items()}
    began, unbuilt = time.monotonic(), []
    source = {n: m for n, m in mutants.items() if "file" in m}
    if source:
        say(f"building {len(source)} mutants in {TREE}; the first time builds everything")
        unbuilt = build_all(source, options.reuse)
        mutants = {n: m for n, m in mutants.items() if n not in unbuilt}
    if options.build:
        return 1 if unbuilt else 0
    say("running every test once unharmed, then saving the database")
    wait_until_healthy()
    for catcher in sorted({c for m in mutants.values() for c in m["caught_by"] + m.get("still_passes", [])}):
        passed, reason, _ = test(catcher)
        if not passed:
            sys.exit(f"{catcher} fails without any mutant: {reason}")
    save()  # after them, so that it has whatever is made once, such as keys, which services remember
    restore()
    try:
        survived = [name for name, mutant in mutants.items() if not prove(name, mutant)]
    finally:
        restore()
    with admin() as server:
        server.execute("drop database if exists polyclinic_clean with (force)")
    say(f"{len(mutants) - len(survived)} of {len(mutants)} mutants caught in {time.monotonic() - began:.0f} s"
        + (f"; survived: {', '.join(survived)}" if survived else "") + (f"; not built: {', '.join(unbuilt)}" if unbuilt else ""))
    return 1 if survived or unbuilt else 0


if __name__ == "__main__":
    sys.exit(main())
