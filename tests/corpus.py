"""The folder of real result files beside the project, values checked by hand, and sending."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.test import Client

Row = dict[str, Any]


def golden_rows(corpus: Path, folders: tuple[str, ...]) -> dict[str, list[Row]]:
    """Return the hand-checked values of each file ("folder/name") of some folders."""
    rows: dict[str, list[Row]] = {}
    with (corpus / "GOLDEN.tsv").open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            if line["file"].split("/")[0] in folders:
                rows.setdefault(line["file"], []).append(json.loads(line["values"]))
    return rows


def corpus_files(corpus: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of some folders, in a stable order."""
    for folder in folders:
        yield from sorted((corpus / folder).iterdir())


def post_file(client: Client, token: str, path: Path, **context: str) -> Any:
    """Send a file to the API as the raw body, with context as query parameters."""
    return client.post(
        f"/api/uploads?{urlencode(context)}",
        data=path.read_bytes(),
        content_type="application/octet-stream",
        headers={"authorization": f"Bearer {token}"},
    )


def figures_of(detail: Row) -> dict[tuple[str, str, str | None], float]:
    """Return the figures of a detail answer by (metric, statistic, definition)."""
    return {
        (item["metric"], item["statistic"], item["definition"]): item["value"]
        for item in detail["metrics"]
    }
