"""Text to vectors, offline: the one small interface that sampling and failure modes share.

The default is WordLlama's 256-dimensional table of token vectors (16 MB, MIT, inside its wheel),
averaged over the tokens of a text. It was chosen over the better but slower encoders that also
ship in wheels because a text's vector is a mean of rows: it cannot depend on the batch, the
number of threads or the BLAS, so the bytes of a partition cannot either.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Embedder", "Vectors", "WordVectors", "offline_embedder"]

Vectors = NDArray[np.float32]
_LONGEST = 512  # tokens; what a text is about stands in its beginning


class Embedder(Protocol):
    """Maps texts to unit vectors; `identity` changes whenever a vector could."""

    @property
    def identity(self) -> str:
        """Name and version of the model, kept in provenance."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape (len(texts), dimensions), rows of length one or all zero."""
        ...


class WordVectors:
    """Averages WordLlama's token vectors; never touches the network.

    Raises:
        ModuleNotFoundError: the package `wordllama` is not installed.
    """

    def __init__(self) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        root = _package_folder("wordllama")
        (weights,) = load_file(root / "weights" / "l2_supercat_256.safetensors").values()
        self._table: Vectors = np.ascontiguousarray(weights, dtype=np.float32)
        self._tokenizer = Tokenizer.from_file(
            str(root / "tokenizers" / "l2_supercat_tokenizer_config.json")
        )
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    @property
    def identity(self) -> str:
        """Name and version of the model."""
        return f"wordllama-l2-supercat-256@{version('wordllama')}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of shape (len(texts), 256); an empty text is the zero vector."""
        vectors = np.zeros((len(texts), self._table.shape[1]), dtype=np.float32)
        cleaned = [text.encode("utf-8", "replace").decode() for text in texts]
        for row, encoding in enumerate(
            self._tokenizer.encode_batch(cleaned, add_special_tokens=False)
        ):
            if encoding.ids:
                mean = self._table[encoding.ids].mean(axis=0)
                vectors[row] = mean / max(float(np.sqrt(np.square(mean).sum())), 1e-12)
        return vectors


def _package_folder(name: str) -> Path:
    """Find a package's files without importing it (importing wordllama sets up logging)."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"package {name!r} is not installed; run `make setup`")
    return Path(spec.submodule_search_locations[0])


@lru_cache(maxsize=1)
def offline_embedder() -> Embedder:
    """The default embedder, loaded once a process."""
    return WordVectors()
