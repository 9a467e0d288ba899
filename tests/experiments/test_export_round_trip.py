"""A whole-site export, taken in by an empty site, gives the same site."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from benchmarks.models import BenchmarkScore
from experiments.models import TestRun
from tests.experiments.exported import (
    SITE,
    answers,
    empty_site,
    export,
    pages,
    records,
    take_in,
)

pytestmark = pytest.mark.django_db
# What the file holds can be read where it was received only.
_ORIGINAL = re.compile(r"<dt>What it holds</dt>\s*<dd>.*?</dd>", re.DOTALL)


def _pages(client: Client) -> dict[str, str]:
    return {address: _ORIGINAL.sub("", text) for address, text in pages(client)}


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
    before, pages_before = dict(answers(client)), _pages(client)
    exported = export()
    empty_site()
    report = take_in(exported)
    assert report.accepted, report.errors[:5]
    after = dict(answers(client))
    assert after.keys() == before.keys()
    assert [address for address in before if before[address] != after[address]] == []
    assert _pages(client) == pages_before
    assert export().splitlines()[1:] == exported.splitlines()[1:]


def _import_corpus(corpus: Path) -> None:
    context = {
        "model_name": "acme/Nimbus-14B",
        "quantization": "Q4_K_M",
        "backend": "vllm",
        "gpu_model": "NVIDIA A100-SXM4-80GB",
    }
    from experiments.ingest.actor import Actor
    from experiments.ingest.pipeline import ingest_file

    taken = 0
    for path in sorted(corpus.rglob("*")):
        if not path.is_file() or path.parent == corpus:
            continue
        data = path.read_bytes()
        for fields in ({}, context):
            report = ingest_file(
                data=data, file_name=path.name, fields=fields, actor=Actor(is_curator=True)
            )
            if report.accepted:
                taken += 1
                break
    print(taken, TestRun.objects.count(), BenchmarkScore.objects.count())
    assert taken > 500
