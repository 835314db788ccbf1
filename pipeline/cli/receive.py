"""The command that receives traces from a running agent."""

from __future__ import annotations

import os

import click

from pipeline.datadir import DataDir

__all__ = ["receive"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=4318, show_default=True,
              help="The port; 0 takes a free one.")  # fmt: skip
@click.option("--allow-remote", is_flag=True,
              help="Listen on an address that other machines reach, without a token.")  # fmt: skip
@click.pass_obj
def receive(place: DataDir, host: str, port: int, allow_remote: bool) -> None:
    """Receive OTLP/HTTP into landing: point OTEL_EXPORTER_OTLP_ENDPOINT here.

    What is acknowledged lies on disk. Traces are personal data: it listens on loopback, and
    elsewhere only with a token in CASELAW_RECEIVE_TOKEN (sent in the clear: put TLS in front) or
    with --allow-remote.
    """
    from pipeline.files import make_directory
    from pipeline.receiver import Receiver, RefusedHost, serve

    folder = place.landing / "received"
    make_directory(place.landing, private=True)
    token = os.environ.get("CASELAW_RECEIVE_TOKEN") or None
    try:
        serve(Receiver(folder, host, port, token, allow_remote), click.echo)
    except RefusedHost as error:
        raise click.UsageError(str(error)) from error
