"""The closed vocabularies of test runs and uploads."""

from django.db import models


class RunStatus(models.TextChoices):
    """How far a run got."""

    PENDING = "pending", "pending"
    RUNNING = "running", "running"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class LoadKind(models.TextChoices):
    """What kind of load produced the figures; speeds of different kinds are not comparable."""

    ISOLATED = "isolated", "isolated test"
    SERVING = "serving", "serving"
    BATCH = "batch", "offline batch"


class LoadClass(models.TextChoices):
    """One user at a time, several, or not known: the grid never ranks speed across these."""

    SINGLE = "single", "single user"
    CONCURRENT = "concurrent", "concurrent users"
    UNKNOWN = "unknown", "load unknown"


class MeasuredAs(models.TextChoices):
    """How a configuration was measured: its kind of load, or that nothing states it."""

    ISOLATED = LoadKind.ISOLATED.value, LoadKind.ISOLATED.label
    SERVING = LoadKind.SERVING.value, LoadKind.SERVING.label
    BATCH = LoadKind.BATCH.value, LoadKind.BATCH.label
    UNKNOWN = "unknown", "not stated how"


class UploadOutcome(models.TextChoices):
    """What became of a received file."""

    CREATED = "created", "created"
    UNCHANGED = "unchanged", "unchanged"
    REJECTED = "rejected", "rejected"
    DRAFT = "draft", "draft"


class ItemAction(models.TextChoices):
    """What an upload did to a run or score."""

    CREATED = "created", "created"
    UNCHANGED = "unchanged", "unchanged"
    REPLACED = "replaced", "replaced"
    PUBLISHED = "published", "published"
    RESTORED = "restored", "restored"


class TokenScope(models.TextChoices):
    """What an API token may do."""

    READ = "read", "read"
    SUBMIT = "submit", "submit (waits for review)"
    UPLOAD = "upload", "upload (published at once)"
    CURATE = "curate", "curate (replace and withdraw)"


class ReparseState(models.TextChoices):
    """How far a reading again of stored uploads is."""

    PREVIEW = "preview", "preview"
    APPLIED = "applied", "applied"
    UNDONE = "undone", "undone"


class ReparseSubject(models.TextChoices):
    """What an item of a reparse is about."""

    UPLOAD = "upload", "upload"
    RUN = "run", "run"
    SCORE = "score", "score"


class ReparseEffect(models.TextChoices):
    """What reading an upload again does to a run, a score or the upload."""

    CHANGED = "changed", "changes"
    FOUND = "found", "is found"
    GONE = "gone", "is no longer made"
    SAME = "same", "stays as it is"
    PROBLEM = "problem", "cannot be read again"
