"""deploy/kubernetes/network.yaml, read and not run (no cluster here): who may talk to whom is who must, by the source (S14)."""
import pathlib
import re

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")
IN_CLEAR, HEALTH = 8081, 8091
ENCRYPTED = {5432: "postgres", 5671: "rabbitmq", 6379: "redis"}
PART, COMPONENT = "app.kubernetes.io/part-of", "app.kubernetes.io/component"


@pytest.fixture(scope="module")
def policies():
    return list(yaml.safe_load_all((ROOT / "deploy/kubernetes/network.yaml").read_text()))


def allowed(policies, direction, peer):
    """{(from, to, port)} between components, as one side of the connection has it."""
    found = set()
    for policy in policies:
        of = policy["spec"]["podSelector"]["matchLabels"].get(COMPONENT)
        for rule in policy["spec"].get(direction, []):
            for other in rule.get(peer, []):
                name = other.get("podSelector", {}).get("matchLabels", {}).get(COMPONENT)
                if of and name:
                    found |= {(name, of, p["port"]) if direction == "ingress" else (of, name, p["port"]) for p in rule["ports"]}
    return found


def who_calls_whom():
    """By the source: cards are asked of a service by name, an export of all that keep something, origins of auth."""
    calls = {(service, "auth") for service in SERVICES if service != "auth"}
    for file in (ROOT / "Services").rglob("*.swift"):
        caller, text = file.relative_to(ROOT / "Services").parts[0].lower(), file.read_text()
        calls |= {(caller, callee) for callee in re.findall(r'cards\.ask(?:All)?\(\s*"([a-z]+)"', text)}
        if "cards.askAll(service" in text:
            calls |= {(caller, callee) for callee in re.findall(r'"([a-z]+)"', re.search(r"let others = \[(.*?)\]", text, re.S)[1])}
    return calls


def test_everything_is_closed_that_no_policy_opens(policies):
    closed = [p["spec"] for p in policies if p["spec"]["podSelector"]["matchLabels"] == {PART: "polyclinic"} and "ingress" not in p["spec"] and "egress" not in p["spec"]]
    assert [sorted(spec["policyTypes"]) for spec in closed] == [["Egress", "Ingress"]]
    assert all(p["kind"] == "NetworkPolicy" and p["spec"]["podSelector"]["matchLabels"][PART] == "polyclinic" for p in policies)


def test_what_is_said_in_clear_goes_from_who_calls_to_whom_is_called_and_nowhere_else(policies):
    in_clear = {(a, b) for a, b, port in allowed(policies, "ingress", "from") if port == IN_CLEAR}
    assert in_clear == who_calls_whom() | {("gateway", service) for service in SERVICES}
    health = {(a, b) for a, b, port in allowed(policies, "ingress", "from") if port == HEALTH}
    assert health == {("portal", service) for service in SERVICES if service != "portal"}


def test_both_ends_of_every_connection_are_opened(policies):
    assert allowed(policies, "ingress", "from") == allowed(policies, "egress", "to")


def test_every_other_port_between_pods_is_one_that_speaks_tls_only(policies):
    for a, b, port in allowed(policies, "ingress", "from"):
        assert port in (IN_CLEAR, HEALTH) or ENCRYPTED[port] == b, (a, b, port)
    for service in SERVICES:
        assert {(service, server, port) for port, server in ENCRYPTED.items()} <= allowed(policies, "ingress", "from")


def test_only_auth_reaches_the_internet_and_nothing_inside_by_that(policies):
    out = {p["metadata"]["name"]: rule for p in policies for rule in p["spec"].get("egress", []) for peer in rule["to"] if "ipBlock" in peer}
    assert set(out) == {"polyclinic-auth"}
    rule = out["polyclinic-auth"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 443}] and {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} <= set(rule["to"][0]["ipBlock"]["except"])
