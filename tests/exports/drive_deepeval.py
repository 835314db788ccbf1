"""In DeepEval's own environment: the dataset is loaded, each golden is answered and measured.

drive_deepeval.py FOLDER good|bad
"""

import json
import sys
from pathlib import Path

folder, agent = Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(folder))
from caselaw_checks import load_agent, load_cases  # noqa: E402
from caselaw_metric import CaselawChecks, answered, load_dataset  # noqa: E402

cases, answer, metric = load_cases(), load_agent(f"toy:{agent}"), CaselawChecks()
found = {}
for golden in load_dataset().goldens:
    test_case = answered(golden, answer, cases)
    score = metric.measure(test_case)
    found[golden.name] = {
        "input": golden.input,
        "metadata": golden.additional_metadata,
        "score": score,
        "skipped": metric.skipped,
        "tools": [tool.name for tool in golden.expected_tools or ()],
    }
print(json.dumps(found))
