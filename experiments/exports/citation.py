"""The citation of an export: who, when, from where, what was asked, and what its figures mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db.models import Count
from django.utils import timezone

from experiments.exports.selection import Selection
from experiments.formats.origin import EXPORT_FORMAT
from experiments.metrics import get_metric
from experiments.models import Measurement, UploadItem
from experiments.provenance import provenance_of
from experiments.redaction import redact_text

VERSION = 1
MOST_SOURCES = 100
"""How many files and sources the citation lists; each run names its own in any case."""


@dataclass(frozen=True, kw_only=True)
class Exporting:
    """A selection on its way out: `site` is the address of this site, where it is known."""

    selection: Selection
    site: str | None = None
    self_link: str | None = None


def citation(exporting: Exporting) -> dict[str, Any]:
    """Return what an export is, for people who cite it: six queries."""
    selection = exporting.selection
    runs = selection.runs.order_by()
    sources = runs.exclude(source_url=None).values_list("source_url", flat=True).distinct()
    return {
        "format": EXPORT_FORMAT,
        "version": VERSION,
        "site": exporting.site,
        "exported_at": timezone.now().astimezone(UTC).replace(microsecond=0).isoformat(),
        "query": dict(selection.query),
        "link": exporting.self_link,
        "runs": runs.count(),
        "scores": selection.scores.order_by().count(),
        "licence": None,
        "licence_note": "This site states none; ask who measured, named with each result.",
        "source_urls": sorted(redact_text(url) for url in sources[:MOST_SOURCES] if url),
        "files": _files(selection),
        "metrics": _metrics(selection),
    }


def _files(selection: Selection) -> dict[str, Any]:
    """Return the files that brought the runs: how many, and the first of them."""
    items = UploadItem.objects.filter(run__in=selection.runs.order_by().values("pk"))
    newest = (
        items.filter(action__in=("created", "replaced"))
        .select_related("upload__uploaded_by", "upload__token")
        .defer("upload__report", "upload__context")
        .order_by("upload_id", "id")
        .distinct("upload_id")[:MOST_SOURCES]
    )
    found = (provenance_of(item) for item in newest)
    return {
        "count": items.order_by().values("upload").distinct().count(),
        "listed": [
            {
                "upload_id": str(item.upload_id),
                "sha256": item.sha256,
                "file_name": item.file_name,
                "received_at": item.received_at.isoformat(),
                "received_from": item.received_from,
            }
            for item in found
            if item
        ],
    }


def _metrics(selection: Selection) -> dict[str, Any]:
    """Return what each metric and definition of the selection means."""
    used = (
        Measurement.objects.filter(run__in=selection.runs.order_by().values("pk"))
        .values_list("metric", "definition")
        .annotate(figures=Count("id"))
        .order_by("metric", "definition")
    )
    found: dict[str, Any] = {}
    for key, definition, figures in used:
        metric = get_metric(key)
        entry = found.setdefault(
            key,
            {
                "label": metric.label if metric else key,
                "unit": metric.unit if metric else None,
                "definitions": {},
            },
        )
        known = metric.definition(definition) if metric and definition else None
        entry["definitions"][definition or "not stated"] = {
            "figures": figures,
            "label": known.label if known else None,
            "formula": known.formula if known else None,
        }
    return found


def in_blocks(parts: Iterable[bytes], block_bytes: int = 65_536) -> Iterable[bytes]:
    """Yield the bytes in blocks that are worth a packet each."""
    waiting: list[bytes] = []
    size = 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= block_bytes:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)
