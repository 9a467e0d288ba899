"""Canonical documents of an export: what a site had stored, which no other format tells (pure).

`is_trusted` tells that who sent the export may speak for the site that it comes from; without it,
what it says beside the facts is a claim.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from benchmarks.totals import TotalMethod
from experiments.formats.documents import ModelDocument, RunDocument, ScoreDocument
from experiments.formats.origin import RunOrigin, ScoreOrigin


@dataclass(frozen=True, kw_only=True)
class StoredRun(RunDocument):
    """A run as a site had stored it."""

    origin: RunOrigin
    is_trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class StoredScore(ScoreDocument):
    """A score as a site had stored it; `slug` is the benchmark's name for machines."""

    id: UUID
    slug: str
    total_method: TotalMethod
    needs_confirmation: bool
    origin: ScoreOrigin
    is_trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class DescribedModel(ModelDocument):
    """A model variant with further facts, named as those of ModelVariant."""

    more_facts: Mapping[str, Any] = field(default_factory=dict)
