"""What people say of traces: their annotations, read and appended.

What they are shown, and in which order, is `pipeline.review.queue`.
"""

from pipeline.review.annotation import Annotation
from pipeline.review.annotations import (
    ACTIONS,
    ANNOTATIONS,
    Annotations,
    Problem,
    axis_labels,
    collect_annotations,
    read_annotations,
    write_annotation,
)

__all__ = [
    "ACTIONS",
    "ANNOTATIONS",
    "Annotation",
    "Annotations",
    "Problem",
    "axis_labels",
    "collect_annotations",
    "read_annotations",
    "write_annotation",
]
