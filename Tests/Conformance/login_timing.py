"""Promise S10: how long a refused sign-in takes does not say whether the address is known (Mann-Whitney, N each).

    LOGINS=200 Tests/Conformance/run timing      # every refusal costs an Argon2id; LOGINS=2000, as promised, takes some minutes
"""
import math
import os
import random
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../Journeys"))
import psycopg  # noqa: E402

from clinic import Clinic, stack_environment  # noqa: E402


def mann_whitney(a, b):
    """Two-sided p by the normal approximation, ties by their mean rank."""
    ranked = sorted([(x, 0) for x in a] + [(x, 1) for x in b])
    ranks, i = [0.0] * len(ranked), 0
    while i < len(ranked):
        j = i
        while j < len(ranked) and ranked[j][0] == ranked[i][0]:
            j += 1
        for k in range(i, j):
            ranks[k] = (i + j + 1) / 2
        i = j
    u = sum(r for r, (_, group) in zip(ranks, ranked) if group == 0) - len(a) * (len(a) + 1) / 2
    mean, deviation = len(a) * len(b) / 2, math.sqrt(len(a) * len(b) * (len(a) + len(b) + 1) / 12)
    return math.erfc(abs(u - mean) / deviation / math.sqrt(2))


def main():
    env, count = stack_environment(), min(2000, int(os.environ.get("LOGINS", "200")))
    door = Clinic(env["POLYCLINIC_URL"])
    admin = door.as_("admin")
    known = f"timing-{uuid.uuid4().hex[:10]}@demo.example"
    admin.open_account({"name": "T", "email": known, "roles": ["nurse"]})
    seconds, last = {True: [], False: []}, False
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        for number in range(2 * count):
            if number % 4 == 0:  # nobody is to be slowed down here: it is the check that is timed, not the throttle
                database.execute("delete from auth.login_failure")
            is_known = random.random() < 0.5 if number % 2 == 0 else not last  # in pairs, in an order of chance
            last = is_known
            email = known if is_known else f"timing-{uuid.uuid4().hex[:10]}@demo.example"
            began = time.perf_counter()
            answer = door.call("POST", "/v1/auth/login", {"email": email, "password": "not the password"})
            seconds[is_known].append(time.perf_counter() - began)
            assert answer.status == 401 and answer.code == "invalid_credentials", answer
    p = mann_whitney(seconds[True], seconds[False])
    middle = {k: sorted(v)[len(v) // 2] * 1000 for k, v in seconds.items()}
    print(f"  {len(seconds[True])} known, {len(seconds[False])} unknown; medians {middle[True]:.1f} and {middle[False]:.1f} ms; p = {p:.3f}")
    sys.exit(0 if p > 0.01 else "the time tells who has an account")


main()
