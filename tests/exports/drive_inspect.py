"""In Inspect's own environment: the task is run, and what its loader read is printed as JSON.

drive_inspect.py FOLDER good|bad|model    (model: a mock model that says what the user said)
"""

import json
import sys
from pathlib import Path

from inspect_ai import eval as run
from inspect_ai.model import ModelOutput, ModelUsage, get_model

folder, agent = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(folder))
from caselaw_task import caselaw  # noqa: E402


def echo(messages, tools, choice, config):
    """The mock's output; with its usage stated no tokenizer is fetched."""
    said = ModelOutput.from_content("mockllm", messages[-1].text)
    said.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return said


task = caselaw("" if agent == "model" else f"toy:{agent}")
[log] = run(
    task,
    model=get_model("mockllm/model", custom_outputs=echo),
    log_dir=str(folder / "logs"),
    display="none",
    fail_on_error=False,
)
print(json.dumps({
    "status": log.status,
    "scores": {s.id: s.scores["caselaw_checks"].value for s in log.samples if s.scores},
    "unscored": log.results.scores[0].unscored_samples,
    "accuracy": log.results.scores[0].metrics["accuracy"].value,
    "read": {
        s.id: [(m.role, m.text) for m in s.input] for s in task.dataset
    },
    "calls": {
        s.id: [
            (c.function, c.arguments)
            for m in s.input for c in getattr(m, "tool_calls", None) or ()
        ]
        for s in task.dataset
    },
    "kept": {s.id: s.metadata for s in task.dataset},
}))  # fmt: skip
