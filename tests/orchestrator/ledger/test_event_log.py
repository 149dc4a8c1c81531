"""The event log on storages that append and on those that cannot."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from memseg.storage import Folder, open_folder
from orchestrator.ledger.event_log import EVENTS, PUT_EVERY_S, EventLog, read_events

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def __call__(self) -> float:
        return self.seconds


def log_of(folder: Folder, clock: Clock) -> EventLog:
    return EventLog(folder, clock.now, clock)


def test_two_runs_at_once_keep_all_their_events_in_order_of_time(workspace: Folder) -> None:
    clock = Clock()
    one, two = log_of(workspace, clock), log_of(workspace, clock)
    for second in range(6):
        clock.seconds = second
        (one, two)[second % 2].write("started", trial=f"t{second}")
    one.flush()
    two.flush()
    found = read_events(workspace)
    assert [event["trial"] for event in found] == [f"t{i}" for i in range(6)]
    assert {event["run"] for event in found} == {one.run, two.run}


def test_what_is_empty_is_left_out_and_text_is_kept(workspace: Folder) -> None:
    log = log_of(workspace, Clock())
    log.write("failed", urgent=True, message="größer\nals", failure="", values={}, step=None)
    (event,) = read_events(workspace)
    assert set(event) == {"at", "run", "event", "message"}
    assert event["message"] == "größer\nals"
    assert event["at"] == "2026-11-25T03:00:00.000+00:00"


def test_an_object_store_gets_failures_at_once_and_the_rest_now_and_then(
    quick_workspace: Folder,
) -> None:
    clock = Clock()
    log = log_of(quick_workspace, clock)
    log.write("started", trial="a")
    at_once = len(read_events(quick_workspace))
    assert at_once == (1 if quick_workspace.is_local else 0)
    log.write("failed", urgent=True, trial="a")
    assert len(read_events(quick_workspace)) == 2
    clock.seconds = PUT_EVERY_S
    log.write("started", trial="b")
    assert len(read_events(quick_workspace)) == 3


def test_no_line_is_put_twice(quick_workspace: Folder) -> None:
    log = log_of(quick_workspace, Clock())
    for trial in ("a", "b", "c"):
        log.write("failed", urgent=True, trial=trial)
    log.flush()
    files = [f.path for f in quick_workspace.files(recursive=True) if f.path.endswith(".jsonl")]
    lines = [line for name in files for line in quick_workspace.read(name).splitlines()]
    assert [json.loads(line)["trial"] for line in lines] == ["a", "b", "c"]


def test_a_line_that_a_full_disk_left_half_spoils_no_other(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    log_of(folder, Clock()).write("started", trial="a")
    with (tmp_path / EVENTS).open("ab") as stream:
        stream.write(b'{"at": "2026", "eve')
    log_of(folder, Clock()).write("started", trial="b")
    assert [event["trial"] for event in read_events(folder)] == ["a", "b"]
    lines = (tmp_path / EVENTS).read_text().splitlines()
    assert [json.loads(lines[0])["trial"], json.loads(lines[2])["trial"]] == ["a", "b"]


def test_a_sweep_without_events_has_none(quick_workspace: Folder) -> None:
    assert read_events(quick_workspace) == []
