"""Helpers of tests of exports: emptying a site, exporting it, and all that it answers."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from django.core.cache import caches
from django.db import connection
from django.http import QueryDict
from django.test import Client

from benchmarks.models import Benchmark
from experiments.exports.citation import Exporting
from experiments.exports.request import selection_of
from experiments.exports.writers import WRITERS
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.ingest.report import Report
from experiments.models import TestRun

SITE = "https://results.example.org/"
_EMPTIED = (
    *("experiments_uploaditem", "experiments_upload", "experiments_uploadcontent"),
    *("experiments_measurement", "experiments_testrun", "experiments_configuration"),
    *("experiments_sweep", "benchmarks_benchmarkscore", "benchmarks_modelvariant"),
    *("hardware_hardwareprofile", "hardware_platform"),
)
_CHANGING = re.compile(r'csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"')


def export(query: str = "", form: str = "jsonl", site: str | None = SITE) -> bytes:
    """Return what a query string exports."""
    exporting = Exporting(selection=selection_of(QueryDict(query)), site=site)
    return b"".join(WRITERS[form].write(exporting))


def records(data: bytes) -> list[dict[str, Any]]:
    """Return the lines of an export but for the citation, which tells when it was made."""
    return [json.loads(line) for line in data.splitlines()[1:]]


def empty_site() -> None:
    """Take all results out of the site; what is curated stays."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"TRUNCATE {', '.join(_EMPTIED)} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    caches["default"].clear()
    Benchmark.objects.filter(is_generic=True).delete()


def take_in(data: bytes, *, is_curator: bool = True, name: str = "export.jsonl") -> Report:
    """Send an export as the operator's command does."""
    return ingest_file(data=data, file_name=name, fields={}, actor=Actor(is_curator=is_curator))


def answers(client: Client) -> Iterator[tuple[str, Any]]:
    """Yield every address of the API that tells of results, with what it answers."""
    addresses = [
        *(f"/api/{name}?page_size=200" for name in ("configurations", "runs")),
        "/api/grouped-performance?page_size=200",
        *(
            f"/api/performance-grid?page_size=200&load_class={load}&load_kind=any"
            for load in ("single", "concurrent", "unknown")
        ),
        "/api/grouped-performance?page_size=200&sort_by=quality",
        "/api/performance-grid?page_size=200&sort_by=memory",
    ]
    runs = list(TestRun.objects.order_by("id").values_list("id", flat=True))
    addresses += [f"/api/detail/{pk}" for pk in runs]
    pairs = list(pairwise(runs))
    addresses += [f"/api/comparison?config_a={a}&config_b={b}" for a, b in pairs[::10]]
    for address in addresses:
        response = client.get(address)
        yield address, (response.status_code, response.json())


def pages(client: Client, every: int = 1) -> Iterator[tuple[str, str]]:
    """Yield the pages that tell of results, without what each answer makes anew."""
    runs = list(TestRun.objects.order_by("id").values_list("id", flat=True))[::every]
    addresses = ["/", "/?sort_by=quality", "/?load_class=concurrent"]
    addresses += [f"/detail/{pk}/" for pk in runs]
    addresses += [f"/compare/{a}/{b}/" for a, b in list(pairwise(runs))[::5]]
    for address in addresses:
        yield address, _CHANGING.sub("", client.get(address).content.decode())
