"""The form, the API and the commands at once, on the same runs: one truth, and its history."""

import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from experiments.models import Measurement, RunRevision, TestRun, Upload, UploadItem
from tests.experiments.form_upload import URL, field_of
from tests.experiments.invariants import check_invariants
from tests.experiments.tokens import bearer
from tests.factories import experiment, make_staff

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

STEPS = 15
RUN_IDS = [UUID(int=number + 1, version=4) for number in range(2)]
SPEEDS = (40.0, 50.0, 60.0)
UPLOADS = "/admin/experiments/upload"


def some_file(chance: random.Random) -> bytes:
    speed = chance.choice(SPEEDS)
    data = {"accuracy": speed, "timestamp": "2026-11-20T00:00:00Z"}
    document = experiment(
        run_id=chance.choice(RUN_IDS),
        figures={"tokens_per_second": (speed, "tok/s", "decode")},
        benchmark_scores=[{"type": "HellaSwag", "data": data}],
    )
    return json.dumps({"experiment_run": document}).encode()


def api_step(chance: random.Random, headers: dict[str, str]) -> None:
    client = Client()
    if chance.random() < 0.7:
        path = f"/api/uploads?replace={chance.choice(['true', 'false'])}"
        answer = client.post(path, some_file(chance), "application/json", headers=headers)
        assert answer.status_code in (200, 201, 409), answer.content
    else:
        path = f"/api/delete/{chance.choice(RUN_IDS)}"
        status = client.delete(path, headers=headers).status_code
        assert status in (200, 403, 404, 410)


def form_step(chance: random.Random, client: Client) -> None:
    """Send a file and confirm it as it is or replacing; or withdraw or restore an upload."""
    kind = chance.choice(["upload", "upload", "again", "withdraw", "restore"])
    if kind == "upload":
        file = SimpleUploadedFile("form.json", some_file(chance))
        answer = client.post(URL, {"file": file})
        address = answer.headers.get("HX-Push-Url") or answer.headers["Location"]
        confirm(chance, client, address)
        return
    upload = Upload.objects.accepted().order_by("?").first()
    if upload is None:
        return
    answer = client.post(f"{UPLOADS}/{upload.pk}/{kind}/", {"reason": "by form"})
    assert answer.status_code == 302
    if kind == "again":
        confirm(chance, client, answer.headers["Location"])


def confirm(chance: random.Random, client: Client, address: str) -> None:
    draft = Upload.objects.drafts().filter(batch=address.split("/")[-2]).first()
    if draft is None:
        return
    fields = {field_of(draft, "sent"): "1", "action": "confirm"}
    if chance.random() < 0.7:
        fields[field_of(draft, "replace")] = "on"
    answer = client.post(address, fields)
    assert answer.status_code in (200, 302, 404, 409), answer.content


def command_step(chance: random.Random, folder: Path) -> None:
    kind = chance.choice(["import", "withdraw", "undo"])
    try:
        if kind == "import":
            path = folder / f"{chance.random()}.json"
            path.write_bytes(some_file(chance))
            options = chance.choice([[], ["--replace"]])
            call_command("import_results", str(path), *options, stdout=StringIO())
        else:
            how = ["--undo"] if kind == "undo" else ["--reason", "by command"]
            call_command("withdraw", str(chance.choice(RUN_IDS)), *how, stdout=StringIO())
    except CommandError as refusal:
        if "not taken" not in str(refusal) and "has the id" not in str(refusal):
            raise


def at_once(workers: list[Callable[[random.Random], None]]) -> None:
    """Let every worker take its steps on a connection of its own; what they raise is raised."""
    start = Barrier(len(workers))

    def work(number: int) -> None:
        chance = random.Random(number)
        try:
            connection.ensure_connection()
            start.wait(timeout=20)
            for _step in range(STEPS):
                workers[number](chance)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, range(len(workers))))


def test_form_api_and_commands_at_once_leave_one_truth_and_its_history(tmp_path: Path) -> None:
    clients = [Client(), Client()]
    for number, client in enumerate(clients):
        client.force_login(make_staff(name=f"staff {number}"))
    tokens = [bearer("upload"), bearer("curate")]
    at_once(
        [
            *(lambda chance, token=token: api_step(chance, token) for token in tokens),
            *(lambda chance, client=client: form_step(chance, client) for client in clients),
            lambda chance: command_step(chance, tmp_path),
        ]
    )
    check_invariants()
    assert set(TestRun.objects.values_list("pk", flat=True)) == set(RUN_IDS)
    speeds = Measurement.objects.filter(metric="tokens_per_second")
    assert speeds.count() == len(RUN_IDS)
    assert set(speeds.values_list("value", flat=True)) <= set(SPEEDS)
    told = Counter(RunRevision.objects.values_list("action", flat=True))
    made = UploadItem.objects.filter(run__isnull=False).values_list("action", flat=True)
    by_uploads = Counter(made)
    assert by_uploads["created"] == len(RUN_IDS)
    assert told["replaced"] == by_uploads["replaced"] > 0
    assert told["withdrawn"] > 0
    assert told["restored"] >= by_uploads["restored"]
