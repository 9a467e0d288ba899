"""Received files, kept byte for byte, and what each of them made."""

import zlib
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from benchsite.common.ids import new_id
from experiments.choices import ItemAction, UploadOutcome


class UploadContent(models.Model):
    """The exact bytes of a file, compressed, once per SHA-256."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.PositiveBigIntegerField()
    deflated = models.BinaryField(help_text="zlib stream of the bytes as received.")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$"), name="uploadcontent_sha256_hex"
            ),
        ]

    def __str__(self) -> str:
        return self.sha256

    @property
    def data(self) -> bytes:
        """The bytes as they were received."""
        return zlib.decompress(self.deflated)


class UploadQuerySet(models.QuerySet["Upload"]):
    """Look-ups of uploads."""

    def accepted(self) -> "UploadQuerySet":
        """Return uploads whose facts are in the database."""
        return self.filter(outcome__in=[UploadOutcome.CREATED, UploadOutcome.UNCHANGED])

    def drafts(self) -> "UploadQuerySet":
        """Return previews: files received, of which nothing is in the database yet."""
        return self.filter(outcome=UploadOutcome.DRAFT)


class Upload(models.Model):
    """One file received: who sent what and when, and what became of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    content = models.ForeignKey(UploadContent, on_delete=models.PROTECT, related_name="uploads")
    file_name = models.CharField(max_length=255, blank=True)
    context = models.JSONField(default=dict, blank=True, help_text="What the uploader stated.")
    format = models.CharField(max_length=40, null=True, blank=True)
    parser_version = models.PositiveSmallIntegerField(null=True, blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    token = models.ForeignKey(
        "experiments.ApiToken", on_delete=models.SET_NULL, null=True, blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    outcome = models.CharField(max_length=10, choices=UploadOutcome)
    report = models.JSONField(default=dict, blank=True)
    batch = models.UUIDField(
        null=True, blank=True, help_text="The same for files that were sent together by the form."
    )
    replacing = models.BooleanField(
        default=False, help_text="Whether it may replace runs that are here with other content."
    )
    corrects = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The upload of the same file whose context this one corrects.",
    )

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="upload_newest_first"),
            models.Index(fields=["uploaded_by", "-created_at"], name="upload_of_user_newest_first"),
            models.Index(
                fields=["batch"], condition=models.Q(batch__isnull=False), name="upload_batch"
            ),
            models.Index(
                fields=["created_at"],
                condition=models.Q(outcome="draft"),
                name="upload_drafts_oldest_first",
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(corrects__isnull=True) | ~models.Q(corrects=models.F("id")),
                name="upload_corrects_another",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=UploadOutcome.values), name="upload_outcome_known"
            ),
            models.CheckConstraint(
                condition=models.Q(outcome__in=[UploadOutcome.REJECTED, UploadOutcome.DRAFT])
                | models.Q(format__isnull=False, parser_version__isnull=False),
                name="upload_accepted_has_format",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name or 'pasted text'} ({self.outcome})"


class UploadItem(models.Model):
    """What one place of an upload made: the provenance of a run or of a score."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="items")
    place = models.CharField(max_length=255, help_text="Where in the file, as a path.")
    run = models.ForeignKey(
        "experiments.TestRun", on_delete=models.CASCADE, null=True, related_name="upload_items"
    )
    score = models.ForeignKey(
        "benchmarks.BenchmarkScore",
        on_delete=models.CASCADE,
        null=True,
        related_name="upload_items",
    )
    action = models.CharField(max_length=10, choices=ItemAction)
    origin = models.JSONField(
        null=True,
        blank=True,
        editable=False,
        help_text="Of an export: the file that first brought it to the site that it comes from.",
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(run__isnull=False, score__isnull=True)
                | models.Q(run__isnull=True, score__isnull=False),
                name="uploaditem_run_or_score",
            ),
            models.CheckConstraint(
                condition=models.Q(action__in=ItemAction.values), name="uploaditem_action_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.place}: {self.action}"
