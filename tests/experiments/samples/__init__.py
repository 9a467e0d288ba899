"""Inputs of the tests; their figures are invented."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SEED: dict[str, Any] = json.loads((FOLDER / "seed_experiment.json").read_text(encoding="utf-8"))
"""The experiment JSON that the site's format was made from, as it stands."""


def sample_files() -> list[Path]:
    """Return every file of this folder that stands for what a tool writes, by name."""
    return sorted(
        path
        for path in FOLDER.iterdir()
        if path.is_file() and path.name not in ("README.md", "__init__.py")
    )
