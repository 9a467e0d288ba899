"""What an llm-d benchmark report says, of whichever version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experiments.formats.documents import ModelDocument
from experiments.formats.llmd.figures import Measured
from experiments.formats.llmd.load import Load
from experiments.formats.llmd.stack import Server


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A report read.

    `record` is what makes it this run, `experiment` what the reports of one experiment share,
    `combined` names the loads that ran at the same time, `shape` is what of the prompts changes
    speed. `variant` is the model where the report states its quantization.
    """

    place: str
    record: Mapping[str, Any]
    given_id: str | None
    models: Sequence[Any]
    variant: ModelDocument | None = None
    measured: Measured
    servers: Sequence[Server]
    load: Load
    load_settings: Mapping[str, Any] = field(default_factory=dict)
    shape: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None
    notes: str | None = None
    experiment: str | None = None
    combined: Sequence[str] = ()
