"""Inputs of the tests; their figures are invented."""

import json
from pathlib import Path
from typing import Any

SEED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "seed_experiment.json").read_text(encoding="utf-8")
)
"""The experiment JSON that the site's format was made from, as it stands."""
