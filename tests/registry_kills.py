"""Kills publishers at random moments: every version that is listed has to verify.

    python -m tests.registry_kills                  50 kills on a local disk
    python -m tests.registry_kills --kills 200 --s3 on an S3 server on loopback
    python -m tests.registry_kills --crowd          8 processes publish 8 trials, 2 more the same

Exit code 1 where a version that is listed, an alias or the history is not right.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from memseg.storage import open_folder
from orchestrator.registry.checking import check_version
from orchestrator.registry.history import read_history
from orchestrator.registry.registry import Registry
from orchestrator.registry.verify import verify

REPOSITORY = Path(__file__).parents[1]
CATEGORY = "part"
CROWD = 8
_MOST_S = 120.0


@dataclass
class Outcome:
    """What was seen."""

    kills: int = 0
    in_the_middle: int = 0
    """Kills that left an unfinished publication."""
    listed: int = 0
    """Versions in the end."""
    changes: int = 0
    """Files of history in the end."""
    problems: tuple[str, ...] = ()


def start(location: str, keys: Sequence[str], *, promote: bool) -> subprocess.Popen[str]:
    """A publisher that is ready to publish."""
    command = [sys.executable, "-m", "tests.registry_publisher", location, CATEGORY]
    process = subprocess.Popen(
        [*command, str(int(promote)), *keys], cwd=REPOSITORY, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,         env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise RuntimeError("the publisher did not start")
    return process


def go(process: subprocess.Popen[str]) -> None:
    """Lets a publisher that is ready begin."""
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def kill_publishers(location: str, kills: int, seed: int = 0) -> Outcome:
    """Kills so many publishers, each at a random moment, and looks after each kill."""
    draw, registry, outcome = random.Random(seed), Registry(open_folder(location)), Outcome()
    seconds = _seconds_a_publication(location)
    for kill in range(kills):
        keys = [f"k{kill:03d}n{n:03d}" for n in range(100)]
        process = start(location, keys, promote=True)
        go(process)
        # Anywhere in the first or second publication, or in the promotion between.
        time.sleep(draw.uniform(0, 2 * seconds))
        process.kill()
        process.communicate()
        outcome.kills += 1
        begun = [f for f in registry.category_folder(CATEGORY).folders("versions") if f in keys]
        outcome.in_the_middle += len(set(begun) - set(registry.version_ids(CATEGORY)))
        problems = _problems(registry)
        outcome.problems += tuple(f"after kill {kill + 1}: {p}" for p in problems)
    outcome.listed = len(registry.version_ids(CATEGORY))
    outcome.changes = len(read_history(registry.category_folder(CATEGORY)))
    return outcome


def _seconds_a_publication(location: str) -> float:
    process = start(location, ["first000", "first001", "first002"], promote=True)
    started = time.monotonic()
    go(process)
    process.communicate(timeout=_MOST_S)
    return (time.monotonic() - started) / 3


def _problems(registry: Registry) -> list[str]:
    """What is wrong with what is listed; a publication that was killed is not listed."""
    problems = [
        str(problem)
        for version in registry.version_ids(CATEGORY)
        for problem in check_version(registry.version_folder(CATEGORY, version), CATEGORY, version)
    ]
    champion = registry.champion(CATEGORY)
    if champion.id != registry.history(CATEGORY)[-1].after.champion:
        problems.append("the champion is not what the last change made it")
    return problems


def crowd(location: str) -> list[str]:
    """8 processes publish a trial each and two more one of these, at once; what is wrong."""
    keys = [*(f"trial{n:03d}" for n in range(CROWD)), "trial000", "trial000"]
    processes = [start(location, [key], promote=False) for key in keys]
    for process in processes:
        go(process)
    codes = [(process.communicate(timeout=_MOST_S), process.returncode)[1] for process in processes]
    registry = Registry(open_folder(location))
    problems = [str(problem) for problem in verify(registry)]
    if set(registry.version_ids(CATEGORY)) != set(keys):
        problems.append(f"versions are {registry.version_ids(CATEGORY)}")
    if any(codes):
        problems.append(f"exit codes of the publishers: {codes}")
    return problems


@contextlib.contextmanager
def location_on(s3: bool) -> Iterator[str]:
    """A place for a registry, which ends with the block."""
    if s3:
        # The server and its libraries take seconds to import.
        from tests.faults.store import store

        with store() as place, _environment(place.environment):
            yield "s3://bucket/registry"
        return
    folder = tempfile.mkdtemp(prefix="registry-kills-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.registry_kills", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--s3", action="store_true")
    parser.add_argument("--crowd", action="store_true")
    options = parser.parse_args()
    with location_on(options.s3) as location:
        if options.crowd:
            problems: Sequence[str] = crowd(location)
            sys.stdout.write(f"{CROWD} trials at once, one of them three times\n")
        else:
            outcome = kill_publishers(location, options.kills, options.seed)
            problems = outcome.problems
            sys.stdout.write(
                f"{outcome.kills} kills, {outcome.in_the_middle} in the middle of a publication; "
                f"{outcome.listed} versions listed, {outcome.changes} changes of aliases\n"
            )
    sys.stdout.write("".join(f"{problem}\n" for problem in problems))
    sys.stdout.write(f"{len(problems)} problems\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
