"""Backups on a timer: they are read back before they count, old ones go, and what watches them hears of a failure (F232)."""
import os
import pathlib
import re
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def keep(env, database, tmp_path):
    """Runs `backup keep` as the timer does, into a folder of its own."""
    folder, metrics = tmp_path / "backups", tmp_path / "metrics"
    socket, port = re.search(r"@([^:]+):(\d+)/", env["POSTGRES_URL"]).groups()

    def run(secrets=env["POLYCLINIC_DATA"] + "/secrets", **more):
        return subprocess.run([ROOT / "deploy/local/backup", "keep", folder, socket, port, secrets], capture_output=True, text=True,
                              env={**os.environ, "BACKUP_METRICS": str(metrics), **more})

    def figure(name):
        return float(re.search(rf"^{name} (\S+)$", metrics.read_text(), re.M).group(1))

    run.folder, run.figure = folder, figure
    return run


def test_a_backup_counts_once_it_was_read_back_and_old_ones_go(keep):
    keep.folder.mkdir()
    old = [keep.folder / f"data-2020010{day}T000000Z.dump.enc" for day in (1, 2, 3)]
    for file in old:
        file.write_bytes(b"x")
    done = keep(BACKUP_LEAST="2")
    assert done.returncode == 0, done.stderr
    kept = sorted(f.name for f in keep.folder.glob("data-*"))
    assert len(kept) == 2 and kept[0] == old[2].name, "two stay, however old"
    assert keep.figure("polyclinic_backup_failed") == 0 and keep.figure("polyclinic_backups_kept") == 2
    assert time.time() - keep.figure("polyclinic_backup_last_good_timestamp_seconds") < 60
    fresh = keep.folder / kept[1]
    assert keep(BACKUP_LEAST="1", BACKUP_DAYS="1").returncode == 0
    assert fresh.exists(), "what is within the days stays"
    assert not old[2].exists()


def test_a_backup_that_fails_is_told_and_drops_nothing(keep, tmp_path):
    assert keep().returncode == 0
    good = keep.figure("polyclinic_backup_last_good_timestamp_seconds")
    before = sorted(keep.folder.glob("data-*"))
    wrong = tmp_path / "secrets"
    wrong.mkdir()
    (wrong / "postgres_admin").write_text("not the password")
    assert keep(secrets=str(wrong), BACKUP_DAYS="0", BACKUP_LEAST="1").returncode != 0
    assert keep.figure("polyclinic_backup_failed") == 1
    assert keep.figure("polyclinic_backup_last_good_timestamp_seconds") == good
    assert sorted(keep.folder.glob("data-*")) == before


def test_no_number_of_days_lets_the_last_backup_go(keep):
    for wrong in ({"BACKUP_LEAST": "0"}, {"BACKUP_DAYS": "soon"}):
        assert keep(**wrong).returncode == 64


def test_every_figure_in_the_alerts_is_one_that_something_tells():
    told = "\n".join(f.read_text() for f in [*ROOT.glob("Shared/**/*.swift"), *ROOT.glob("Services/**/*.swift"), ROOT / "deploy/local/backup"])
    rules = (ROOT / "deploy/alerts.yaml").read_text()
    figures = set(re.findall(r"polyclinic_\w+", rules))
    assert len(figures) > 5
    assert not {f for f in figures if f not in told}
    for page in set(re.findall(r"runbook: (\S+)", rules)):
        assert (ROOT / page.rstrip("}")).exists(), page
