"""A whole-site export, taken in by an empty site, gives the same site."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from benchmarks.models import BenchmarkScore
from experiments.ingest.actor import Actor
from experiments.ingest.pipeline import ingest_file
from experiments.models import TestRun
from tests.experiments.exported import (
    answers,
    empty_site,
    export,
    pages,
    records,
    take_in,
)

pytestmark = pytest.mark.django_db
MACHINES = (
    "NVIDIA A100-SXM4-80GB",
    "NVIDIA GeForce RTX 4090, NVIDIA GeForce RTX 3090, NVIDIA GeForce RTX 3090",
    "AMD Radeon Graphics (RADV STRIX_HALO)",
    "NVIDIA H100 PCIe",
    "Fantasy 9000 12GB",
)
# What the file holds can be read where it was received only.
_ORIGINAL = re.compile(r"<dt>What it holds</dt>\s*<dd>.*?</dd>", re.DOTALL)


def _pages(client: Client, every: int = 1) -> dict[str, str]:
    return {address: _ORIGINAL.sub("", text) for address, text in pages(client, every)}


def test_the_sample_data_is_the_same_site_again(client: Client) -> None:
    call_command("load_sample", verbosity=0)
    before, pages_before = dict(answers(client)), _pages(client)
    scores = set(BenchmarkScore.objects.values_list("id", flat=True))
    runs = set(TestRun.objects.values_list("id", flat=True))
    exported = export()
    empty_site()
    report = take_in(exported)
    assert report.accepted, report.errors[:5]
    assert set(TestRun.objects.values_list("id", flat=True)) == runs
    assert set(BenchmarkScore.objects.values_list("id", flat=True)) == scores
    assert dict(answers(client)) == before
    assert _pages(client) == pages_before
    assert records(export(site="https://elsewhere.example.org/")) == records(exported)


def test_the_corpus_is_the_same_site_again(client: Client, corpus: Path) -> None:
    _import_corpus(corpus)
    before, pages_before = dict(answers(client)), _pages(client, 20)
    exported = export()
    empty_site()
    report = take_in(exported)
    assert report.accepted, report.errors[:5]
    after = dict(answers(client))
    assert after.keys() == before.keys()
    assert [address for address in before if before[address] != after[address]] == []
    assert _pages(client, 20) == pages_before
    assert export().splitlines()[1:] == exported.splitlines()[1:]


def _import_corpus(corpus: Path) -> None:
    """Take in every file of the corpus that is taken with some context or without."""
    files = [path for path in sorted(corpus.rglob("*")) if path.parent != corpus and path.is_file()]
    taken = [_is_taken(path, MACHINES[place % len(MACHINES)]) for place, path in enumerate(files)]
    assert sum(taken) > 100


def _is_taken(path: Path, gpu_model: str) -> bool:
    context = {
        "model_name": "acme/Nimbus-14B",
        "quantization": "q4_k_m",
        "backend": "vLLM",
        "gpu_model": gpu_model,
    }
    reports = (
        ingest_file(
            data=path.read_bytes(),
            file_name=path.name,
            fields=fields,
            actor=Actor(is_curator=True),
        )
        for fields in ({}, context)
    )
    return any(report.accepted for report in reports)
