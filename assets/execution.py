"""Runs one task of a plan in this process, against the persistent Dagster instance."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg
from dagster._core.launcher import DefaultRunLauncher
from dagster._core.storage.runs import SqliteRunStorage

from assets.jobs import range_tags
from assets.plan import Task
from pipeline.files import is_alive

__all__ = ["Listener", "Outcome", "Runner", "fail_abandoned_runs", "sign_of_life"]

_SIGN = "caselaw/process"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_CLOCKS_DIFFER = 60.0  # seconds: a process starts before its run does
Listener = Callable[[str, str], None]
"""Called with "started" or "finished" and a step's name, and with "log" and a line of ours."""


@dataclass(frozen=True)
class Outcome:
    """How a run went: what stopped it, the checks that failed, and those that only warn."""

    run_id: str
    errors: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Runner:
    """Runs the jobs of `defs`; `sign` names the lock that this process holds while it lives."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    sign: str

    def run(self, task: Task, listen: Listener) -> Outcome:
        """Run the task as one Dagster run; what a step raises is told in the outcome.

        Raises:
            KeyboardInterrupt: somebody stopped it; what was published stays.
        """
        run_id = str(uuid.uuid4())
        # No daemon may start this run again: the plan knows what comes after it.
        tags = {_SIGN: self.sign, "dagster/max_retries": "0"}
        first, last = task.span or (None, None)
        if first is not None and last is not None and first != last:
            tags |= range_tags(first, last)
            first = None
        # With DAGSTER_REDACT_USER_CODE_ERRORS=1 this logger would print what the outcome tells.
        logging.getLogger("dagster.redacted_errors").setLevel(logging.CRITICAL)
        self.instance.add_event_listener(run_id, lambda entry: _tell(entry, listen))
        result = self.defs.resolve_job_def(task.job).execute_in_process(
            run_config=_QUIET,
            instance=self.instance,
            partition_key=first,
            raise_on_error=False,
            tags=tags,
            run_id=run_id,
        )
        return _outcome(result)


def _tell(entry: dg.EventLogEntry, listen: Listener) -> None:
    event = entry.dagster_event
    if event is None:
        listen("log", entry.user_message)
    elif event.step_key and event.event_type in _STEP_EVENTS:
        listen(_STEP_EVENTS[event.event_type], event.step_key)


_STEP_EVENTS = {
    dg.DagsterEventType.STEP_START: "started",
    dg.DagsterEventType.STEP_SUCCESS: "finished",
}


def _outcome(result: dg.ExecuteInProcessResult) -> Outcome:
    found = Outcome(result.run_id)
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            error = data.error
            if error is not None and error.cls_name == dg.DagsterExecutionInterruptedError.__name__:
                raise KeyboardInterrupt
            told = data.user_failure_data.description if data.user_failure_data else None
            said = error.message.strip() if error is not None else "no reason was kept"
            found.errors.append(told or f"{event.step_key}: {said}")
        elif event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            made = event.asset_check_evaluation_data
            if not made.passed:
                warns = made.severity == dg.AssetCheckSeverity.WARN
                facts = ", ".join(f"{n} {v.value}" for n, v in sorted(made.metadata.items()))
                (found.warnings if warns else found.failed_checks).append(
                    f"{made.asset_key.to_user_string()}: {made.check_name} ({facts})"
                )
    if not result.success and not found.errors and not found.failed_checks:
        reasons = [e.message for e in result.all_events if e.is_run_failure and e.message]
        found.errors.extend(reasons or [f"run {result.run_id} failed"])
    return found


@contextlib.contextmanager
def sign_of_life(home: Path) -> Iterator[str]:
    """Hold a lock that the system lets go of when this process dies, however it dies."""
    folder = home / "processes"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4()}.lock"
    with open(path, "w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield path.stem
        finally:
            path.unlink(missing_ok=True)


def fail_abandoned_runs(instance: dg.DagsterInstance, home: Path) -> int:
    """Mark runs whose process was killed as failed and free their places in pools.

    Without it they would count as running, and what waits for their place would wait: those of a
    backfill for ever, those of the daemon, whose launcher cannot tell, for `max_runtime_seconds`.
    """
    abandoned = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=_UNFINISHED)):
        run = record.dagster_run
        sign = run.tags.get(_SIGN)
        gone = (
            not _alive(home / "processes" / f"{sign}.lock")
            if sign
            else _is_of_this_machine(instance) and process_is_gone(instance, record)
        )
        if gone:
            instance.report_run_failed(run, "Its process is gone; what it published stays.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            abandoned += 1
    return abandoned


def _is_of_this_machine(instance: dg.DagsterInstance) -> bool:
    """Whether runs are processes of this machine: a team's server may start them elsewhere."""
    own = isinstance(instance.run_launcher, DefaultRunLauncher)
    return own and isinstance(instance.run_storage, SqliteRunStorage)


def process_is_gone(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether the process that Dagster noted for a started run is gone, or another has its id."""
    noted = instance.get_records_for_run(
        record.dagster_run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT, limit=50
    )
    pids = [
        int(str(entry.event_log_entry.dagster_event.engine_event_data.metadata["pid"].value))
        for entry in noted.records
        if entry.event_log_entry.dagster_event is not None
        and "pid" in entry.event_log_entry.dagster_event.engine_event_data.metadata
    ]
    if not pids or record.start_time is None:
        return False  # it has not started yet: `start_timeout_seconds` is for that
    if not is_alive(pids[-1]):
        return True
    since = _running_since(pids[-1])
    return since is not None and since > record.start_time + _CLOCKS_DIFFER


def _running_since(pid: int) -> float | None:
    """When a process started, in seconds since 1970; None where the system does not say."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[19])
        lines = Path("/proc/stat").read_text("utf-8").splitlines()
    except (OSError, ValueError, IndexError):
        return None
    booted = next((int(line.split()[1]) for line in lines if line.startswith("btime ")), None)
    return None if booted is None else booted + ticks / os.sysconf("SC_CLK_TCK")


def _alive(path: Path) -> bool:
    try:
        with open(path, encoding="ascii") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    path.unlink(missing_ok=True)
    return False
