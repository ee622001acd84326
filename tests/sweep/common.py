"""What the long proofs share: the way to the harness, workers with a scratch of their own, and the tally."""

from __future__ import annotations

import os
import pathlib
import queue
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

from account import Account  # noqa: E402
from harness import probe  # noqa: E402

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")
SEED = 20240229


def say(line: str) -> None:
    print(line, flush=True)


class Worker:
    """One runs at a time: an account's home and runtime directory, a folder for reports, and the probes."""

    def __init__(self) -> None:
        self.account = Account()
        self.reports = self.account.directory(self.account.base / "reports")
        self.marker = self.account.directory(self.account.scratch / "marker")
        self.project = self.account.directory(self.account.home / "project")
        probes = self.account.directory(self.account.base / "probes")
        self.probe = str(self.account.own(pathlib.Path(shutil.copy(probe("confinement"), probes))))
        self.environment: dict[str, str] = {}
        self.state: dict[str, Any] = {}

    def normal(self, text: str) -> str:
        """The text without what is this worker's own."""
        return text.replace(str(self.account.home), "/HOME").replace(str(self.account.base), "/BASE")


def evenly(jobs: Sequence[Job], most: int) -> list[Job]:
    """At most `most` of the jobs, evenly spread, the same ones each time."""
    if most <= 0 or most >= len(jobs):
        return list(jobs)
    width = len(jobs) / most
    chance = random.Random(SEED)
    return [jobs[int(width * i + chance.random() * width)] for i in range(most)]


def share_out(
    workers: Sequence[Worker], jobs: Iterable[Job], run: Callable[[Worker, Job], Outcome]
) -> Iterable[tuple[Job, Outcome]]:
    """Runs each job with a worker that is free; yields in the order of the jobs."""
    free: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for worker in workers:
        free.put(worker)

    def one(job: Job) -> tuple[Job, Outcome]:
        worker = free.get()
        try:
            return job, run(worker, job)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(len(workers)) as pool:
        yield from pool.map(one, jobs)


class Clock:
    """Says now and then how far it is."""

    def __init__(self, what: str, total: int) -> None:
        self.what, self.total, self.done = what, total, 0
        self.began = self.last = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def tick(self) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.last > 30:
            self.last = now
            say(f"  {self.what}: {self.done} of {self.total} after {now - self.began:.0f} s")


def tally(passed: int, failed: int, skipped: int) -> int:
    """The last line, and the exit status."""
    say(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


def processors() -> int:
    return len(os.sched_getaffinity(0))
