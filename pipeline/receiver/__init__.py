"""A receiver of OTLP/HTTP: what it acknowledges lies in landing, on disk."""

from pipeline.receiver.serving import Receiver, RefusedHost, serve

__all__ = ["Receiver", "RefusedHost", "serve"]
