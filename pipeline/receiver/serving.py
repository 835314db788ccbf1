"""The receiver as a process: its socket, its signals, and what it says now and then."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from pipeline.receiver.journal import Journal
from pipeline.receiver.service import Access, Service

__all__ = ["Receiver", "RefusedHost", "serve"]

_SECONDS_TO_FINISH = 15
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class RefusedHost(ValueError):
    """An address that others can reach, without the word that they may."""


@dataclass(frozen=True)
class Receiver:
    """What `serve` needs: where to listen, where to write, and who may send."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 4318
    token: str | None = None
    allow_remote: bool = False
    report_seconds: float = 60


def serve(receiver: Receiver, say: Callable[[str], None]) -> None:
    """Receive until SIGTERM or SIGINT, then finish the requests under way.

    Args:
        receiver: where and how.
        say: prints a line; never one with payload.

    Raises:
        RefusedHost: the host is not loopback, and neither a token nor `allow_remote` is given.
        OSError: the address is taken, or the folder cannot be written to.
    """
    loopback = _is_loopback(receiver.host)
    if not (loopback or receiver.token or receiver.allow_remote):
        raise RefusedHost(
            f"{receiver.host} can be reached from other machines, and anybody there could send; "
            "set CASELAW_RECEIVE_TOKEN (clients then send it as a bearer token), or say "
            "--allow-remote if the network itself keeps strangers out"
        )
    listening = _listen(receiver)
    journal = Journal(receiver.folder)
    names = _LOOPBACK_NAMES | {receiver.host.lower()}
    service = Service(journal, Access(names if loopback else None, receiver.token))
    config = uvicorn.Config(
        service.application(),
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        # Exporters send every few seconds: a connection closed meanwhile costs them a retry.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )
    server = uvicorn.Server(config)

    def stop_serving(_number: int, _frame: object) -> None:
        server.should_exit = True

    # Before uvicorn takes the signals over, and after: it raises the one it got once more.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop_serving)
    for line in _opening(receiver, listening):
        say(line)
    stop = threading.Event()
    reporter = threading.Thread(
        target=_report, args=(service.counts, receiver.report_seconds, stop, say), daemon=True
    )
    reporter.start()
    try:
        server.run(sockets=[listening])
    finally:
        stop.set()
        reporter.join()
        journal.close()
        say(f"Stopped. {_told(service.counts)}")


def _listen(receiver: Receiver) -> socket.socket:
    family = socket.AF_INET6 if ":" in receiver.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((receiver.host, receiver.port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        why = f"cannot listen on {receiver.host}:{receiver.port} ({error.strerror}); try --port 0"
        raise OSError(why) from error
    return listening


def _is_loopback(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError as error:
        raise RefusedHost(f"{host!r} is no address of this machine") from error
    return all(ipaddress.ip_address(address[4][0]).is_loopback for address in found)


def _opening(receiver: Receiver, listening: socket.socket) -> list[str]:
    host = f"[{receiver.host}]" if ":" in receiver.host else receiver.host
    url = f"http://{host}:{listening.getsockname()[1]}"
    token = ' OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20<token>"' if receiver.token else ""
    return [
        f"Receiving OTLP traces and logs on {url}, into {receiver.folder}",
        "In the agent's environment: OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf "
        f"OTEL_EXPORTER_OTLP_ENDPOINT={url}{token}",
        f"Process {os.getpid()}; Ctrl-C stops it once the requests under way are on disk.",
    ]


def _report(
    counts: Counter[str], seconds: float, stop: threading.Event, say: Callable[[str], None]
) -> None:
    told = ""
    while not stop.wait(seconds):
        if (now := _told(counts)) != told and counts:
            say(now)
            told = now


def _told(counts: Counter[str]) -> str:
    refused = f", {counts['refused']} refused" if counts["refused"] else ""
    statuses = [name for name in sorted(counts) if name.startswith("answered ")]
    which = ", ".join(f"{counts[name]} {name}" for name in statuses)
    return (
        f"{counts['spans']} spans and {counts['logRecords']} log records in "
        f"{counts['requests']} requests, {counts['bytes'] / 1e6:.1f} MB on disk{refused}"
        + (f" ({which})" if which else "")
    )
