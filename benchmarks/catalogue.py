"""The curated benchmarks: what each measures, on what scale, over which categories."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

DATA_FILE = Path(__file__).parent / "data" / "benchmarks.toml"


@dataclass(frozen=True, kw_only=True)
class CatalogueEntry:
    """One curated benchmark; a missing end of the scale is open.

    `choices` is how many answers each question offers, None where they differ or are open.
    """

    slug: str
    name: str
    measures: str
    spellings: tuple[str, ...] = ()
    scale_min: float | None = 0.0
    scale_max: float | None = 100.0
    higher_is_better: bool = True
    choices: int | None = None
    expected_categories: tuple[str, ...] = ()
    category_groups: Mapping[str, list[str]] = field(default_factory=dict)


@cache
def catalogue() -> tuple[CatalogueEntry, ...]:
    """Return all curated benchmarks in the order of the data file."""
    rows = tomllib.loads(DATA_FILE.read_text(encoding="utf-8"))["benchmarks"]
    entries = []
    for row in rows:
        scale_min, scale_max = row.pop("scale", (0.0, 100.0))
        groups = row.get("category_groups", {})
        expected = row.pop("expected_categories", [name for g in groups.values() for name in g])
        entries.append(
            CatalogueEntry(
                **row | {"spellings": tuple(row.get("spellings", ()))},
                scale_min=None if scale_min == float("-inf") else scale_min,
                scale_max=None if scale_max == float("inf") else scale_max,
                expected_categories=tuple(expected),
            )
        )
    return tuple(entries)


@cache
def _slugs_by_spelling() -> Mapping[str, str]:
    return {
        _spelling_key(spelling): entry.slug
        for entry in catalogue()
        for spelling in (entry.slug, entry.name, *entry.spellings)
    }


def _spelling_key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.replace("+", "plus").casefold())


def benchmark_slug(name: str) -> str:
    """Return the slug of a benchmark's name in any spelling: "MMLU-Pro" gives "mmlu_pro".

    An unknown name gives a slug made from it, "" when it holds no letter or digit.
    """
    known = _slugs_by_spelling().get(_spelling_key(name))
    return known or re.sub(r"[\W_]+", "_", name.replace("+", "_plus").casefold()).strip("_")
