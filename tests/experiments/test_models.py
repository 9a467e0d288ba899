"""Every constraint of the experiments tables refuses what it is there for."""

from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from experiments.models import (
    ApiToken,
    Configuration,
    Measurement,
    Reparse,
    ReparseItem,
    Sweep,
    TestRun,
    Upload,
    UploadContent,
    UploadItem,
)
from tests.factories import make_run, make_score

pytestmark = pytest.mark.django_db


def refused(constraint: str, write: Any) -> None:
    """Assert that the database refuses a write by the constraint of this name."""
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        write()


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("testrun_status_known", {"status": "lost"}),
        ("testrun_review_state_known", {"review_state": "maybe"}),
        ("testrun_load_kind_known", {"load_kind": "odd"}),
        ("testrun_concurrency_positive", {"concurrent_requests": 0}),
        ("testrun_request_rate_positive", {"request_rate": 0}),
        ("testrun_request_rate_positive", {"request_rate": float("inf")}),
        ("testrun_token_lengths_not_negative", {"input_tokens": -1}),
        ("testrun_token_lengths_not_negative", {"output_tokens": float("nan")}),
        ("testrun_power_limit_positive", {"gpu_power_limit_watts": -5}),
    ],
)
def test_run_constraints(constraint: str, changes: dict[str, Any]) -> None:
    runs = TestRun.objects.filter(pk=make_run().pk)
    refused(constraint, lambda: runs.update(**changes))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_measurement_is_finite(value: float) -> None:
    measurements = Measurement.objects.filter(run=make_run())
    refused("measurement_value_finite", lambda: measurements.update(value=value))


def test_a_measurement_has_a_known_statistic() -> None:
    measurements = Measurement.objects.filter(run=make_run())
    assert measurements.update(statistic="p99.9") == 1
    refused("measurement_statistic_known", lambda: measurements.update(statistic="about"))


@pytest.mark.parametrize("definition", ["decode", None])
def test_a_measurement_stands_once_even_without_definition(definition: str | None) -> None:
    run = make_run(figures={"tokens_per_second": (5.0, "tok/s", definition)})

    def again() -> None:
        Measurement.objects.create(
            run=run,
            metric="tokens_per_second",
            statistic="mean",
            definition=definition,
            value=6.0,
            unit="tok/s",
        )

    refused("measurement_once_per_run", again)


def copy_of(row: models.Model) -> dict[str, Any]:
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }


def test_a_configuration_stands_once_even_without_a_version() -> None:
    configuration = make_run().configuration
    assert configuration.backend_version is None
    refused(
        "configuration_identity", lambda: Configuration.objects.create(**copy_of(configuration))
    )


def test_a_configuration_has_a_known_load_class() -> None:
    rows = Configuration.objects.filter(pk=make_run().configuration_id)
    refused("configuration_load_class_known", lambda: rows.update(load_class="some"))


def test_a_sweep_key_stands_once() -> None:
    Sweep.objects.create(key="k")
    refused("experiments_sweep_key", lambda: Sweep.objects.create(key="k"))


def test_upload_constraints() -> None:
    make_run()
    uploads = Upload.objects.all()
    refused("upload_outcome_known", lambda: uploads.update(outcome="fine"))
    refused("upload_accepted_has_format", lambda: uploads.update(format=None))
    assert uploads.update(format=None, outcome="rejected") == 1


def test_upload_content_is_named_by_a_hash() -> None:
    refused(
        "uploadcontent_sha256_hex",
        lambda: UploadContent.objects.create(sha256="x" * 64, size_bytes=1, deflated=b"x"),
    )


def test_an_item_is_a_run_or_a_score_and_not_both() -> None:
    run = make_run()
    items = UploadItem.objects.filter(run=run)
    refused("uploaditem_run_or_score", lambda: items.update(score=make_score()))
    refused("uploaditem_run_or_score", lambda: items.update(run=None))
    refused("uploaditem_action_known", lambda: items.update(action="eaten"))


def test_a_token_has_a_scope_and_its_secret_is_not_stored() -> None:
    secret = ApiToken.issue(name="ci", scopes=["upload"])
    token = ApiToken.objects.get()
    assert secret not in str(vars(token))
    assert ApiToken.objects.find(secret) == token
    assert ApiToken.objects.find(secret + "x") is None
    refused("apitoken_has_a_scope", lambda: ApiToken.objects.update(scopes=[]))
    refused(
        "digest",
        lambda: ApiToken.objects.create(name="copy", digest=token.digest, scopes=["read"]),
    )


def test_runs_come_in_the_order_asked_for() -> None:
    first, second = make_run(), make_run()
    ids = [second.pk, first.pk]
    assert [run.pk for run in TestRun.objects.in_order(ids)] == ids


def test_reparse_constraints() -> None:
    upload = make_run().upload_items.get().upload
    reparse = Reparse.objects.create(selection="all", previewed_by="ann")
    found = Reparse.objects.filter(pk=reparse.pk)
    refused("reparse_state_has_times", lambda: found.update(state="half"))
    refused("reparse_state_has_times", lambda: found.update(state="applied"))
    refused("reparse_state_has_times", lambda: found.update(undone_at=timezone.now()))
    fields = {"reparse": reparse, "upload": upload, "subject": "run", "key": "a", "effect": "same"}
    items = ReparseItem.objects.filter(pk=ReparseItem.objects.create(**fields).pk)
    refused("reparseitem_once", lambda: ReparseItem.objects.create(**fields))
    refused("reparseitem_subject_known", lambda: items.update(subject="sweep"))
    refused("reparseitem_effect_known", lambda: items.update(effect="unsure"))
