"""One process of several that read landing files or assemble conversations."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

from pipeline.ingest.days.passes import assemble_share
from pipeline.ingest.index.landed import IndexFailed
from pipeline.ingest.index.reading import shred_share

_WORK: dict[str, Callable[[dict[str, Any]], Any]] = {
    "shred": shred_share,
    "assemble": assemble_share,
}


def main() -> None:
    """Answer each task of standard input with one line, until there are no more."""
    for line in sys.stdin:
        task = json.loads(line)
        try:
            answer = {"answer": _WORK[task["do"]](task)}
        except IndexFailed as error:
            answer = {"error": str(error)}
        except Exception as error:
            # The type alone: an error's text may quote what it failed on.
            where = error.__traceback__
            while where is not None and where.tb_next is not None:
                where = where.tb_next
            at = f"{where.tb_frame.f_code.co_name}:{where.tb_lineno}" if where else ""
            number = error.errno if isinstance(error, OSError) else None
            why = os.strerror(number) if number else type(error).__name__
            answer = {"error": f"{task['do']} failed: {why} in {at}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
