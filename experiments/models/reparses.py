"""Stored uploads read again by newer parsers: what would change, what was changed, and back."""

import json
import zlib
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from benchsite.common.ids import new_id
from benchsite.common.revisions import LONGEST_LABEL
from experiments.choices import ReparseEffect, ReparseState, ReparseSubject
from experiments.models.uploads import Upload


class Reparse(models.Model):
    """One reading again of stored uploads: a preview, which can be applied and then undone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    state = models.CharField(
        max_length=10, choices=ReparseState, default=ReparseState.PREVIEW, db_index=True
    )
    selection = models.CharField(max_length=300, help_text="Which uploads, in words.")
    uploads = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="Items by subject and effect.")
    made = models.JSONField(default=dict, help_text="Ids of rows that others refer to, by table.")
    previewed_at = models.DateTimeField(default=timezone.now)
    previewed_by = models.CharField(max_length=LONGEST_LABEL)
    applied_at = models.DateTimeField(null=True)
    applied_by = models.CharField(max_length=LONGEST_LABEL, blank=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=LONGEST_LABEL, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(state="preview", applied_at=None, undone_at=None)
                | models.Q(state="applied", applied_at__isnull=False, undone_at=None)
                | models.Q(state="undone", applied_at__isnull=False, undone_at__isnull=False),
                name="reparse_state_has_times",
            ),
        ]

    def __str__(self) -> str:
        return f"reparse {str(self.pk)[:13]}"


class ReparseItem(models.Model):
    """What reading an upload again means for one run, one score, or the upload itself.

    `subject_id` is no foreign key: a run that was found is gone again after an undo. `images` hold
    every row before and after, exactly, for as long as the reparse can be undone.
    """

    reparse = models.ForeignKey(Reparse, on_delete=models.CASCADE, related_name="items")
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=10, choices=ReparseSubject)
    subject_id = models.UUIDField(null=True, help_text="Empty for a score not made yet.")
    key = models.CharField(max_length=64, help_text="The same in preview and apply.")
    title = models.CharField(max_length=600)
    effect = models.CharField(max_length=10, choices=ReparseEffect)
    changes = models.JSONField(default=list, help_text="[name, before, after] of what differs.")
    reason = models.TextField(blank=True, help_text="Why not, for a problem or what was left.")
    left = models.BooleanField(default=False, help_text="Changed since the preview: not applied.")
    before_hash = models.CharField(max_length=64, blank=True)
    after_hash = models.CharField(max_length=64, blank=True)
    images = models.BinaryField(null=True)

    class Meta:
        ordering = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["reparse", "effect", "id"], name="reparseitem_by_effect"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["reparse", "upload", "subject", "key"], name="reparseitem_once"
            ),
            models.CheckConstraint(
                condition=models.Q(subject__in=ReparseSubject.values),
                name="reparseitem_subject_known",
            ),
            models.CheckConstraint(
                condition=models.Q(effect__in=ReparseEffect.values),
                name="reparseitem_effect_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.get_effect_display()}"

    def keep_images(self, images: dict[str, Any]) -> None:
        """Put the rows before and after, as JSON text that PostgreSQL made, compressed."""
        self.images = zlib.compress(json.dumps(images).encode())

    @cached_property
    def sides(self) -> dict[str, dict[str, list[str]]]:
        """The images: {"before": {table: [row, …]}, "after": …}, empty where nothing was done."""
        if self.images is None:
            return {"before": {}, "after": {}}
        images: dict[str, dict[str, list[str]]] = json.loads(zlib.decompress(self.images))
        return images
