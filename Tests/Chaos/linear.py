"""Whether what the clients saw could have happened one after another: a linearizability checker (Wing & Gong, Lowe).

Each operation has the time it was asked and the time it was answered. There must be an order of all of them in which
each takes effect between the two and a model that knows no concurrency gives the same answers. Operations on different
keys (one practitioner's queue of a day, one medicine's stock) cannot disturb each other, so each key is checked alone.
"""
import bisect
from collections import namedtuple

FOREVER = float("inf")
# `after` is FOREVER when nobody was told; such an operation may have happened at any time, or not at all (`result` None).
Operation = namedtuple("Operation", "before after what input result")


def check(model, operations, limit=200_000):
    """None when they can be put in order; otherwise the operations among which it got stuck. `limit` bounds the steps."""
    todo = sorted(operations, key=lambda o: o.before)
    ends = sorted(o.after for o in todo)
    total = sum(o.after is not FOREVER and o.after != FOREVER for o in todo)
    state, taken, settled, steps = model.start, 0, 0, 0
    seen, path, furthest = set(), [], (-1, ())
    # `taken` has a bit for each operation that is placed; `settled` counts those among them that were answered.
    candidates = iter(reachable(todo, ends, taken))
    while settled < total:
        steps += 1
        if steps > limit:
            raise Undecided(f"no order found in {limit} steps, and no proof that there is none")
        for index in candidates:
            operation = todo[index]
            after = model.step(state, operation)
            grown = taken | 1 << index
            if after is not None and (grown, after) not in seen:
                seen.add((grown, after))
                path.append((state, taken, settled, candidates))
                state, taken, settled = after, grown, settled + (operation.after != FOREVER)
                candidates = iter(reachable(todo, ends, taken))
                break
        else:
            if settled > furthest[0]:
                furthest = (settled, tuple(todo[i] for i in reachable(todo, ends, taken)))
            if not path:
                return furthest[1] or tuple(todo[:1])
            state, taken, settled, candidates = path.pop()
    return None


class Undecided(Exception):
    pass


def reachable(todo, ends, taken):
    """The operations that may come next: asked before the first answer that is still to be explained."""
    first, found, alike = FOREVER, [], set()
    low = (~taken & (taken + 1)).bit_length() - 1  # all before it are placed
    for index in range(low, len(todo)):
        if taken >> index & 1:
            continue
        if todo[index].before > first:
            break
        first = min(first, todo[index].after)
        if todo[index].after == FOREVER:  # of several that could all have happened, it does not matter which did
            if todo[index][2:] in alike:
                continue
            alike.add(todo[index][2:])
        found.append(index)
    # Who was answered first is tried first, and what nobody was told of last: so the likely order is found at once.
    return sorted((i for i in found if todo[i].before <= first), key=lambda i: todo[i].after)


class Queue:
    """One practitioner's day: (who waits, by place; who is with the doctor)."""

    start = ((), None)

    @staticmethod
    def step(state, operation):
        waiting, serving = state
        what, token, result = operation.what, operation.input, operation.result
        if what == "issue":  # input: its place and id; the order is total
            at = bisect.bisect(waiting, token)
            return waiting[:at] + (token,) + waiting[at:], serving
        if what == "next":
            if result is None:  # nobody was told: it called whoever was first
                return (waiting[1:], waiting[0][-1]) if waiting and not serving else None
            if result == "busy":
                return state if serving else None
            if serving:
                return None
            if result == "nobody":
                return state if not waiting else None
            return (waiting[1:], result) if waiting and waiting[0][-1] == result else None
        if what == "complete":
            if result == "refused":
                return state if serving != token else None
            return (waiting, None if serving == token else serving)
        if what == "skip":
            left = tuple(w for w in waiting if w[-1] != token)
            return left, None if serving == token else serving
        raise ValueError(what)


class Stock:
    """One medicine: the usable batches as ((expiry, received, id), how many), in the order they are to be used."""

    start = ()

    @staticmethod
    def step(state, operation):
        if operation.what == "receive":
            batch, count = operation.input
            at = bisect.bisect(state, (batch, 0))
            return state[:at] + ((batch, count),) + state[at:]
        if operation.what == "dispense":
            need, lines, left = operation.input, [], []
            if operation.result == "short":
                return state if sum(count for _, count in state) < need else None
            for batch, count in state:
                used = min(need, count)
                need -= used
                if used:
                    lines.append((batch[-1], used))
                if count > used:
                    left.append((batch, count - used))
            return tuple(left) if not need and operation.result in (None, tuple(lines)) else None
        raise ValueError(operation.what)
