"""What became of a run since it was created, with its earlier versions."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from benchsite.common.revisions import Revision
from experiments.models.runs import TestRun
from experiments.models.uploads import Upload

KEEPING = ["replaced", "edited", "reparsed"]
"""The actions that keep what was there before."""


class RunRevision(Revision):
    """One change of a run; a replaced one, and one read again, keeps the version before."""

    subject = "run"

    # The index below begins with it.
    run = models.ForeignKey(
        TestRun, on_delete=models.CASCADE, related_name="revisions", db_index=False
    )
    upload = models.ForeignKey(
        Upload,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="revisions",
        help_text="The upload that did it; empty where somebody did it by hand.",
    )
    before = models.JSONField(
        null=True, blank=True, help_text="The earlier version: facts, measurements, scores."
    )

    class Meta(Revision.Meta):
        indexes: ClassVar = [models.Index(fields=["run", "-id"], name="runrevision_newest_first")]
        constraints: ClassVar = [
            *Revision.Meta.constraints,
            models.CheckConstraint(
                condition=Q(action__in=KEEPING, before__isnull=False)
                | (~Q(action__in=KEEPING) & Q(before__isnull=True)),
                name="runrevision_keeps_what_was_before",
            ),
        ]
