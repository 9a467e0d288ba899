"""A file of 5,000 rows: previewed and confirmed in time, with bounded memory."""

import json
import resource
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from experiments.models import TestRun, Upload
from tests.experiments.form_upload import press, send, text_of
from tests.experiments.test_llama_bench import prompt, row

pytestmark = pytest.mark.django_db

ROWS = 5000
MODELS = 10
# Processor time, since neighbours of a test must not fail it; measured: 2.1 s each, by a worker.
MOST_S = 10.0
MOST_MB = 300  # measured: 50 here; a worker grows from 90 to 230 MB and stays there


def large_file() -> SimpleUploadedFile:
    """Return a llama-bench file: pairs of a prompt and a generation row of ten models."""
    rows = []
    for number in range(ROWS // 2):
        of_both: dict[str, Any] = {
            "n_depth": number // MODELS,
            "model_filename": f"Nimbus-{number % MODELS}B-Q8_0.gguf",
        }
        rows += [prompt(**of_both), row(**of_both, avg_ts=100.0 + number / 1000)]
    return SimpleUploadedFile("large.json", json.dumps(rows).encode())


def seconds_of(step: Callable[[], object]) -> float:
    begun = time.process_time()
    step()
    return time.process_time() - begun


def test_5000_rows_are_previewed_and_confirmed_in_time(admin_client: Client) -> None:
    file = large_file()
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert seconds_of(lambda: send(admin_client, file)) < MOST_S
    address = f"/admin/experiments/upload/batch/{Upload.objects.get().batch}/"
    page = text_of(admin_client.get(address))
    assert "Ready: llama-bench JSON or JSON Lines, 2500 runs." in page
    assert "Runs to come, the first 20 of 2500" in page
    assert seconds_of(lambda: press(admin_client, "confirm")) < MOST_S
    assert TestRun.objects.count() == ROWS // 2
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    assert grown_mb < MOST_MB
