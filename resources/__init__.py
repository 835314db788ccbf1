"""Thin shells that configure pipeline objects and hand them to assets."""

from __future__ import annotations

from pipeline.datadir import DataDir
from resources.embedding import EmbedderResource
from resources.io import RefusingIOManager
from resources.judging import JudgeResource
from resources.lake import LakeResource
from resources.naming import NamerResource
from resources.redaction import ContentKeyResource, RedactorResource
from resources.registry import RegistryResource

__all__ = [
    "ContentKeyResource",
    "EmbedderResource",
    "JudgeResource",
    "LakeResource",
    "NamerResource",
    "RedactorResource",
    "RefusingIOManager",
    "RegistryResource",
    "resources_of",
]


def resources_of(place: DataDir, threads: int = 2) -> dict[str, object]:
    """Every resource of the lineage, all of one data directory; `threads` are for detectors."""
    data_dir = str(place.root)
    return {
        "lake": LakeResource(data_dir=data_dir),
        "registry": RegistryResource(data_dir=data_dir),
        "content_key": ContentKeyResource(data_dir=data_dir),
        "redactor": RedactorResource(data_dir=data_dir, threads=threads),
        "embedder": EmbedderResource(data_dir=data_dir),
        "namer": NamerResource(data_dir=data_dir),
        "judge": JudgeResource(data_dir=data_dir),
        "io_manager": RefusingIOManager(),
    }
