"""The checker itself: it takes what can have happened, and refuses what cannot."""
import random

import pytest

import checks
from linear import FOREVER, Operation, Queue, Stock, Undecided, check


def op(before, after, what, given=None, result=None):
    return Operation(before, after, what, given, result)


def place(number, token):
    return (2, 1, number, token)


ISSUED = [op(0, 1, "issue", place(1, "a")), op(2, 3, "issue", place(2, "b")), op(4, 5, "issue", place(3, "c"))]


def test_one_after_another_is_an_order():
    assert check(Queue, ISSUED + [op(6, 7, "next", None, "a"), op(8, 9, "complete", "a"), op(10, 11, "next", None, "b")]) is None


def test_two_at_the_same_time_may_have_come_in_either_order():
    calls = [op(6, 9, "next", None, "b"), op(6, 9, "complete", "a"), op(6, 9, "next", None, "a")]
    assert check(Queue, ISSUED + calls) is None
    assert check(Queue, ISSUED + [op(6, 7, "next", None, "b"), op(8, 9, "next", None, "a")])


@pytest.mark.parametrize("wrong", [
    pytest.param([op(6, 7, "next", None, "b")], id="somebody is passed over"),
    pytest.param([op(6, 7, "next", None, "a"), op(8, 9, "complete", "a"), op(10, 11, "next", None, "a")], id="called twice"),
    pytest.param([op(6, 7, "next", None, "nobody")], id="nobody waits, they say"),
    pytest.param([op(6, 7, "next", None, "a"), op(8, 9, "next", None, "b")], id="two with the doctor"),
    pytest.param([op(6, 7, "next", None, "busy")], id="busy with nobody"),
    pytest.param([op(6, 7, "next", None, "x")], id="somebody who never came"),
])
def test_what_cannot_have_happened_is_refused(wrong):
    assert check(Queue, ISSUED + wrong)


def test_what_nobody_was_told_may_have_happened_or_not():
    unknown = op(6, FOREVER, "complete", "a")
    first = op(6, 7, "next", None, "a")
    assert check(Queue, ISSUED + [first, unknown, op(20, 21, "next", None, "b")]) is None
    assert check(Queue, ISSUED + [first, unknown, op(20, 21, "next", None, "busy")]) is None
    assert check(Queue, ISSUED + [first, op(20, 21, "next", None, "b")])


SHELF = [op(0, 1, "receive", (("2026-01", 1, "old"), 10)), op(0, 1, "receive", (("2027-01", 2, "new"), 10))]


def test_stock_leaves_by_its_date():
    both = op(4, 5, "dispense", 6, (("old", 4), ("new", 2)))
    assert check(Stock, SHELF + [op(2, 3, "dispense", 6, (("old", 6),)), both]) is None
    assert check(Stock, SHELF + [op(2, 3, "dispense", 6, (("new", 6),))])
    assert check(Stock, SHELF + [op(2, 3, "dispense", 6, (("old", 6),)), op(4, 5, "dispense", 6, (("old", 6),))])


def test_short_is_said_only_when_it_is():
    assert check(Stock, SHELF + [op(2, 3, "dispense", 21, "short")]) is None
    assert check(Stock, SHELF + [op(2, 3, "dispense", 20, "short")])
    late = op(2, 9, "receive", (("2028-01", 3, "late"), 5))
    for result in ("short", (("old", 10), ("new", 10), ("late", 2))):
        assert check(Stock, SHELF + [late, op(3, 4, "dispense", 22, result)]) is None


def a_day(rng, length):
    """A history that a real queue gave, as three clients at once saw it."""
    state, time, history, number = Queue.start, 0.0, [], 0
    while len(history) < length:
        time += 1
        before, after = time - rng.random() * 3, time + rng.random() * 3
        what = rng.choice(("issue", "next", "complete"))
        waiting, serving = state
        if what == "issue":
            number += 1
            one = op(before, after, "issue", place(number, f"t{number}"))
        elif what == "next":
            one = op(before, after, "next", None, "busy" if serving else waiting[0][-1] if waiting else "nobody")
        elif serving:
            one = op(before, after, "complete", serving)
        else:
            continue
        state = Queue.step(state, one)
        history.append(one)
    return history


@pytest.mark.parametrize("seed", range(20))
def test_a_true_history_passes_and_the_same_with_one_answer_changed_does_not(seed):
    rng = random.Random(seed)
    history = a_day(rng, 400)
    assert check(Queue, history) is None
    served = [i for i, o in enumerate(history) if o.what == "next" and o.result.startswith("t")]
    first, second = rng.sample(served, 2)
    forged = list(history)
    forged[first] = history[first]._replace(result=history[second].result)
    assert check(Queue, forged)


def test_much_that_nobody_was_told_of_is_decided_all_the_same():
    rng = random.Random(5)
    history = a_day(rng, 1500)
    ghosts = [op(rng.uniform(0, 1500), FOREVER, "next", None, None) for _ in range(150)]
    assert check(Queue, history + ghosts) is None


def test_what_is_not_decided_has_not_held(monkeypatch):
    history = a_day(random.Random(3), 100)
    with pytest.raises(Undecided):
        check(Queue, history, limit=10)
    monkeypatch.setattr(checks, "STEPS", 10)
    assert "undecided" in checks.ordered(Queue, {"a queue": history}, "R5", "the queue of")[0]
