"""Whether all that a run set off has been done: its facts have left, each reaction has handled those it takes, the trail has the entries.

A side that puts this off is not faster; somebody does it afterwards, on the same cores.
"""

PATIENCE = 60  # seconds that it may take after a run

# Whoever takes a fact keeps its id in the inbox; audit entries are taken by the trail instead, whose heads count them. Entries of reads
# count there as well, so what a job reads can stand for as many of its changes that are still on their way.
DONE = """with fact as ({facts}), handled as ({handled})
    select not exists (select from (select b.reaction, sum(f.many) as many from bench.binding b join fact f using (type) group by 1) want
                      left join handled using (reaction) where coalesce(handled.many, 0) < want.many)
      and (select coalesce(sum(size), 0) from reporting.audit_head) - {entries} >= (select coalesce(sum(many), 0) from fact where type = 'audit.entry.recorded.v1')"""
# Looked at first and alone: the counts below cost some milliseconds, and whoever owes most would pay for most of them.
WAITS = "exists (select from {schema}.outbox where published_at is null)"
FACTS = "select type, count(*) as many from {schema}.outbox where published_at >= '{since}' group by type"
HANDLED = "select reaction, count(*) as many from {schema}.inbox where received_at >= '{since}' group by reaction"


def listed(stage):
    """Which reactions take which facts, as the broker knows it. Entries of the trail are counted there, so they are not in it."""
    taken = [(b["routing_key"], b["destination_name"]) for b in stage.bindings() if b["source_name"] == "polyclinic" and not b["routing_key"].startswith("audit.")]
    stage.psql("drop table if exists bench.binding; create table bench.binding (type text, reaction text)")
    stage.copy("bench.binding", [f"{key}\t{queue}\n" for key, queue in taken if "." in key])


class Reckoning:
    """Begins when nothing is under way. One session of psql asks, for starting one each time takes CPU from those who are at it."""

    def __init__(self, stage):
        self.stage = stage
        schemas = stage.psql("select schemaname from pg_tables where tablename = 'outbox' order by 1").splitlines()
        since, entries = stage.psql("select clock_timestamp() || '|' || coalesce(sum(size), 0) from reporting.audit_head").split("|")
        together = " union all "
        self.waits = " or ".join(WAITS.format(schema=s) for s in schemas)
        self.done = DONE.format(facts=together.join(FACTS.format(schema=s, since=since) for s in schemas), entries=entries,
                                handled=together.join(HANDLED.format(schema=s, since=since) for s in schemas))

    def wait(self):
        """Whether all is done, within PATIENCE."""
        return self.stage.psql(f"""do $wait$ begin
            for look in 1..{PATIENCE * 20} loop
                if not ({self.waits}) then
                    if ({self.done}) then return; end if;
                end if;
                perform pg_sleep(0.05);
            end loop;
        end $wait$; select not ({self.waits}) and ({self.done})""") == "t"
