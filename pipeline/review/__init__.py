"""What people say of traces: their annotations, read and appended."""

from pipeline.review.annotations import (
    ANNOTATIONS,
    Annotation,
    Annotations,
    Problem,
    axis_labels,
    collect_annotations,
    read_annotations,
    write_annotation,
)

__all__ = [
    "ANNOTATIONS",
    "Annotation",
    "Annotations",
    "Problem",
    "axis_labels",
    "collect_annotations",
    "read_annotations",
    "write_annotation",
]
