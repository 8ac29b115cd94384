"""What a line of the bench is: a value. Running, comparing and printing it is the same for all."""
import dataclasses
import pathlib
import urllib.parse

from stage import SECONDS, WARM

SQL = pathlib.Path(__file__).resolve().parents[1] / "sql"


@dataclasses.dataclass
class Job:
    name: str
    title: str
    service: str
    # Makes `bench.wish (n, …)`: one row for each request. {need} is how many, {day} the site's date.
    setup: str
    # Each row's request, by bench.line(caller, method, path, if-match, body).
    line: str
    # The most requests a second that anybody here may reach: how many wishes a writing job needs. 0 reads: wishes return.
    rate: int = 0
    # What must have grown by the number of requests, or they did not do what they said.
    effect: str = ""
    # (path with {id}, body) of the request that follows on each thing made.
    follow: tuple = ()
    connections: int = 32
    # Whether a reading job needs `before` again before each run.
    fresh: bool = False
    # How many of our requests one script of pgbench does.
    steps: int = 1
    # pgbench's script in sql/, where it is not named like the job.
    statements: str = ""
    peers: tuple = ("Go", "FastAPI")
    # What else must be so before: called with the stage.
    before: object = None
    # The callers' tokens; one of reception by default.
    callers: object = None
    gateway: bool = False
    # Aims, as (against, figure, comparison, value, words).
    aims: tuple = ()

    @property
    def need(self):
        return self.rate * (SECONDS + WARM) if self.rate else 20_000

    @property
    def script(self):
        file = SQL / f"{self.statements or self.name}.sql"
        return file.read_text() if file.exists() else None

    def prepare(self, stage):
        """New wishes for one run."""
        if self.before:
            self.before(stage)
        words = {"need": self.need, "tenant": stage.tenant, "location": stage.location, "day": stage.day}
        setup = self.setup
        for name, value in words.items():
            setup = setup.replace("{" + name + "}", str(value))
        stage.psql(f"""drop table if exists bench.wish; {setup};
            alter table bench.wish add primary key (n); alter sequence bench.at restart; analyze bench.wish; grant select on bench.wish to public""")

    def wishes(self, stage):
        lines = stage.psql(f"select {self.line} from bench.wish order by n").splitlines()
        if not lines or self.rate and not self.follow and len(lines) < self.need // 2:
            raise SystemExit(f"bench: {self.name} found only {len(lines)} of {self.need} things to do: load more (BENCH_PATIENTS, BENCH_SLOTS), measure shorter (BENCH_SECONDS), or remove {stage.home}, of which earlier runs took the most")
        return lines

    def tokens(self, stage):
        return self.callers(stage) if self.callers else [stage.door.as_("reception").token]


def quoted(text):
    return urllib.parse.quote(text)
