"""Every column of every service has a class in docs/security/data-catalogue.md, and rests as the catalogue says (D23, F218)."""
import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVICES = ("auth", "scheduling", "queue", "clinical", "pharmacy", "billing", "notifications", "reporting", "portal")
CLASSES = {"public", "id", "personal", "health", "secret"}
# Ids, counts and times say nothing alone: their type is their class, unless the catalogue says more. A day may be a birth date
# and a decimal number a measured value, so each of those stands in the catalogue.
BY_TYPE = {"uuid": "id", "boolean": "public", "integer": "public", "bigint": "public", "smallint": "public",
           "timestamp with time zone": "public", "time without time zone": "public", "tstzrange": "public", "interval": "public"}


def catalogue():
    entries = {}
    for line in (ROOT / "docs/security/data-catalogue.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"`[a-z*]+\.[a-z_]+\.[a-z_0-9]+`", cells[0]):
            assert cells[0] not in entries, f"{cells[0]} stands twice"
            entries[cells[0].strip("`")] = cells[1:]
    return entries


def whose():
    """Which rows of which table are a patient's: table, condition, what of them an export shows, what an erasure leaves."""
    rows = []
    for line in (ROOT / "docs/security/data-catalogue.md").read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if len(cells) == 4 and re.fullmatch(r"`[a-z]+\.[a-z_]+`", cells[0]):
            rows.append((cells[0].strip("`"), cells[1].strip("`"), cells[2], cells[3]))
    return rows


@pytest.fixture(scope="module")
def columns(env):
    import psycopg
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as connection:
        return connection.execute("""
            select c.table_schema, c.table_name, c.column_name, c.data_type from information_schema.columns c
            join information_schema.tables t using (table_schema, table_name)
            where t.table_type = 'BASE TABLE' and c.table_schema = any(%s) order by 1, 2, 3""", [list(SERVICES)]).fetchall()


def entry_of(entries, service, table, column):
    return entries.get(f"{service}.{table}.{column}") or entries.get(f"*.{table}.{column}")


def test_every_column_has_a_class(columns):
    entries = catalogue()
    missing = [f"{s}.{t}.{c} ({kind})" for s, t, c, kind in columns if not entry_of(entries, s, t, c) and kind not in BY_TYPE]
    assert not missing, "classify in docs/security/data-catalogue.md:\n" + "\n".join(missing)
    assert all(e[0] in CLASSES for e in entries.values()), [k for k, e in entries.items() if e[0] not in CLASSES]


def test_the_catalogue_speaks_of_columns_that_exist(columns):
    there = {f"{s}.{t}.{c}" for s, t, c, _ in columns} | {f"*.{t}.{c}" for _, t, c, _ in columns}
    assert not [e for e in catalogue() if e not in there]


def test_nothing_personal_rests_in_clear(columns):
    entries, wrong = catalogue(), []
    for service, table, column, kind in columns:
        found = entry_of(entries, service, table, column)
        if not found or found[0] not in ("personal", "health", "secret"):
            continue
        name, rests = f"{service}.{table}.{column}", found[1]
        if rests in ("sealed", "hashed", "wrapped"):
            if kind != "bytea" and not (rests == "hashed" and kind in ("text", "bigint")):
                wrong.append(f"{name} is {kind}")
        elif rests != "retired":
            wrong.append(f"{name} rests as '{rests}'?")
    assert not wrong, wrong


def test_what_is_sealed_is_really_sealed_and_what_is_retired_is_empty(columns, env):
    import psycopg
    entries = catalogue()
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        for service, table, column, kind in columns:
            found = entry_of(entries, service, table, column)
            if not found:
                continue
            place = f'"{service}"."{table}"'
            if found[1] in ("sealed", "wrapped"):
                # A version byte, a nonce and a tag around whatever was said; an erased person's is empty.
                bad = database.execute(f"""select count(*) from {place} where "{column}" is not null and length("{column}") > 0
                    and (get_byte("{column}", 0) not in (1, 2) or length("{column}") < 29)""").fetchone()[0]
                assert bad == 0, f"{place}.{column} has {bad} rows that are no sealed box"
            if found[1] == "retired":
                left = database.execute(f"""select count(*) from {place} where "{column}"::text <> ''""").fetchone()[0]
                assert left == 0, f"{place}.{column} has {left} rows that still say something"


def test_no_nonce_was_used_twice(columns, env):
    import psycopg
    entries = catalogue()
    with psycopg.connect(env["POSTGRES_URL"], autocommit=True) as database:
        nonces = set()
        total = 0
        for service, table, column, kind in columns:
            found = entry_of(entries, service, table, column)
            if found and found[1] == "sealed" and kind == "bytea":
                for (box,) in database.execute(f"""select "{column}" from "{service}"."{table}" where length("{column}") > 28 limit 20000"""):
                    start = 3 if box[0] == 2 else 1
                    nonces.add(bytes(box[start:start + 12]))
                    total += 1
        # The same answer may rest twice only if it was sealed twice: every box has a nonce of its own.
        assert total > 100 and len(nonces) == total


def test_every_table_that_names_a_patient_says_whose_its_rows_are(columns):
    known = {table for table, *_ in whose()}
    assert len(known) > 40
    naming = {f"{s}.{t}" for s, t, c, _ in columns if c in ("patient_id", "person_id") and t not in ("idempotency", "data_key")}
    assert not naming - known, naming - known
    assert not known - {f"{s}.{t}" for s, t, _, _ in columns}
    assert not [row for row in whose() if not re.match(r"gone$|unreadable$|kept: ", row[3]) or not re.match(r"`[a-z_]+`$|no: ", row[2])]
