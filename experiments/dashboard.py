"""What waits for somebody who curates the site: each a count, with a link to its list."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.urls import reverse
from django.utils import timezone

from benchmarks.models import BenchmarkScore
from benchsite.common.review import ReviewState
from experiments.choices import UploadOutcome
from experiments.models import TestRun, Upload
from hardware.models import HardwareProfile, Platform

RECENT_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class Task:
    """How many of something wait, what to do about them, and the list that shows them."""

    label: str
    advice: str
    count: int
    url: str


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What may wait: rows of a model under filters, which are those of its list's address too."""

    label: str
    advice: str
    permission: str
    model: type[models.Model]
    filters: Mapping[str, Any]
    list_name: str | None = None

    def task(self) -> Task:
        """Count the rows; the list of the same rows is one click away."""
        if self.list_name:
            url = reverse(self.list_name)
        else:
            opts = self.model._meta
            query = {name: _in_address(value) for name, value in self.filters.items()}
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
            url = f"{url}?{urlencode(query)}"
        count = self.model._default_manager.filter(**self.filters).count()
        return Task(label=self.label, advice=self.advice, count=count, url=url)


def waiting_tasks(user: AbstractUser | AnonymousUser) -> list[Task]:
    """Return what the user may do something about, also where nothing of it waits.

    One query a kind, none for what the user may not do. That of runs reads an index of those that
    wait, those of scores their whole table; the others grow with the uploads of the last days, with
    platforms and with machines.
    """
    return [kind.task() for kind in _kinds(user) if user.has_perm(kind.permission)]


def _in_address(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _kinds(user: AbstractUser | AnonymousUser) -> list[_Kind]:
    since = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since -= timedelta(days=RECENT_DAYS)
    return [
        _Kind(
            label="Your files to confirm",
            advice="Look at the preview, fill in what the file does not say, and confirm.",
            permission="experiments.add_upload",
            model=Upload,
            filters={"outcome": UploadOutcome.DRAFT, "uploaded_by": user.pk},
            list_name="admin:upload-mine",
        ),
        _Kind(
            label="Runs to review",
            advice="Sent with a token that may only submit: publish or reject them.",
            permission="experiments.change_testrun",
            model=TestRun,
            filters={"review_state__exact": ReviewState.PENDING.value},
        ),
        _Kind(
            label="Scores to review",
            advice="Sent with a token that may only submit: publish or reject them.",
            permission="benchmarks.change_benchmarkscore",
            model=BenchmarkScore,
            filters={"review_state__exact": ReviewState.PENDING.value},
        ),
        _Kind(
            label="Scores that look like fractions",
            advice="Not ranked until you say whether 0.63 means 63 or 0.63.",
            permission="benchmarks.change_benchmarkscore",
            model=BenchmarkScore,
            filters={
                "needs_confirmation__exact": 1,
                "review_state__in": (ReviewState.PENDING.value, ReviewState.PUBLISHED.value),
            },
        ),
        _Kind(
            label=f"Files refused in the last {RECENT_DAYS} days",
            advice="Each report names what is wrong and what would be right.",
            permission="experiments.view_upload",
            model=Upload,
            filters={
                "outcome__exact": UploadOutcome.REJECTED.value,
                "created_at__gte": since.isoformat(),
            },
        ),
        _Kind(
            label="Machines with an unknown GPU",
            advice="Add the reported name to the spellings of an accelerator.",
            permission="hardware.change_hardwareprofile",
            model=HardwareProfile,
            filters={"accelerator__isnull": True, "gpu_model__isnull": False},
        ),
        _Kind(
            label="Platforms without a category",
            advice="The grid’s hardware filter cannot find them.",
            permission="hardware.change_platform",
            model=Platform,
            filters={"category__isnull": True},
        ),
    ]
