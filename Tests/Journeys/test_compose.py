"""docker-compose.yml, read and not run (no Docker engine here): who is given which secret, and that nothing is said in clear."""
import os
import pathlib
import shutil
import stat
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def mounts(service):
    """What it sees where: {place: volume}."""
    return {place: volume for volume, place in (entry.split(":")[:2] for entry in service.get("volumes", [])) if not volume.startswith(".")}


@pytest.fixture(scope="module")
def given(env, tmp_path_factory):
    """What keys.sh, the real one, gives to whom: {container: {file: mode}}."""
    folder = tmp_path_factory.mktemp("compose")
    for name in ("secrets", "tools", "given"):
        folder.joinpath(name).mkdir()
    for tool in ("rabbitmq_definitions.py", "certificates"):
        shutil.copy(ROOT / "deploy/local" / tool, folder / "tools")
    done = subprocess.run(["bash", ROOT / "deploy/compose/keys.sh"], capture_output=True, text=True, env={
        **os.environ, "SECRETS": str(folder / "secrets"), "GIVEN": str(folder / "given"), "TOOLS": str(folder / "tools"),
        "PATH": f"{env['POLYCLINIC_DATA']}/bin:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    again = subprocess.run(["bash", ROOT / "deploy/compose/keys.sh"], capture_output=True, text=True, env={
        **os.environ, "SECRETS": str(folder / "secrets"), "GIVEN": str(folder / "given"), "TOOLS": str(folder / "tools"),
        "PATH": f"{env['POLYCLINIC_DATA']}/bin:{os.environ['PATH']}"})
    assert again.returncode == 0, again.stderr
    return {c.name: {f.name: (stat.S_IMODE(f.stat().st_mode), f.read_bytes()) for f in c.iterdir()} for c in folder.joinpath("given").iterdir()}


def test_every_secret_is_given_to_whom_needs_it_and_to_nobody_else(given):
    holders = {}
    for container, files in given.items():
        for name, (mode, _) in files.items():
            assert mode == 0o400, (container, name, oct(mode))
            holders.setdefault(name, set()).add(container)
    assert holders["jwt_private.pem"] == {"auth"} == holders["password_pepper"]
    assert holders["gateway.key"] == {"gateway"} and set(given["gateway"]) == {"gateway.crt", "gateway.key"}
    assert holders["postgres_admin"] == {"postgres", "roles", "backup"} and holders["postgres_migrator"] == {"migrator", "roles"}
    assert not {"ca.key", "amqp_admin", "amqp_worker"} & set(holders)
    for service in SERVICES:
        assert holders[f"postgres_{service}"] == {service, "roles"} and holders[f"amqp_{service}"] == {service}
    # What opens backups is with the backups' own container, and not with the database.
    assert holders["backup_data_key"] == holders["backup_keys_key"] == {"backup"}
    for server in ("postgres", "rabbitmq", "redis"):
        assert holders[f"{server}.key"] == {server}


def test_each_container_mounts_its_own_secrets_and_no_other(compose, given):
    seen = {}
    for name, service in compose["services"].items():
        for place, volume in mounts(service).items():
            if volume.endswith("secrets") and name != "keys":
                seen.setdefault(volume, set()).add(name)
                assert f"{volume}:{place}:ro" in service["volumes"], name
    assert "secrets" not in seen, "the whole of it belongs to keys alone"
    for service in SERVICES:
        also = {"tenant"} if service == "auth" else set()
        assert seen[f"{service}-secrets"] == {service, f"migrate-{service}"} | also
        beside = {"/checkpoints"} if service == "reporting" else set()
        assert set(mounts(compose["services"][service])) == {"/secrets"} | beside, "a service that serves has no migrator's password"
    assert {v.removeprefix("/given/"): k for v, k in mounts(compose["services"]["keys"]).items() if v not in ("/secrets", "/checkpoints")} == {c: f"{c}-secrets" for c in given}
    assert set(compose["volumes"]) == {"postgres", "rabbitmq", "secrets", "checkpoints", "backups"} | {f"{c}-secrets" for c in given}


def test_every_file_that_a_container_is_told_of_is_given_to_it(compose, given):
    for service in SERVICES:
        for name in (service, f"migrate-{service}"):
            for variable, path in compose["services"][name]["environment"].items():
                if variable.endswith("_FILE"):
                    folder, file = path.rsplit("/", 1)
                    assert file in given[{"/secrets": service, "/migrator": "migrator"}[folder]], (name, variable)


def test_nothing_is_said_in_clear_to_a_server(compose):
    postgres = " ".join(compose["services"]["postgres"]["command"])
    assert "ssl=on" in postgres and "hba_file=/etc/postgresql/pg_hba.conf" in postgres
    rules = [line.split() for line in (ROOT / "deploy/compose/pg_hba.conf").read_text().splitlines() if line and not line.startswith("#")]
    assert {r[0] for r in rules} == {"local", "hostssl"} and all(r[-1] == "scram-sha-256" for r in rules)
    broker = (ROOT / "deploy/compose/rabbitmq.conf").read_text()
    assert "listeners.tcp = none" in broker and "listeners.ssl.default = 5671" in broker
    redis = " ".join(compose["services"]["redis"]["command"])
    assert "--port 0" in redis and "--tls-port 6380" in redis
    assert "PGSSLMODE=verify-full" in (ROOT / "deploy/compose/roles.sh").read_text()
    for service in SERVICES:
        environment = compose["services"][service]["environment"]
        assert environment["AMQP_PORT"] == "5671" and environment["REDIS_HOST"] == "127.0.0.1"
        assert environment["AMQP_CA_FILE"] == environment["POSTGRES_CA_FILE"] == "/secrets/ca.crt"
        assert compose["services"][f"stunnel-{service}"]["network_mode"] == f"service:{service}"
