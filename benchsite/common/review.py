"""The review state that uploaded facts (runs and scores) share."""

from django.db import models


class ReviewState(models.TextChoices):
    """Who may see an uploaded fact: only `published` ones appear on public pages."""

    PENDING = "pending", "waits for review"
    PUBLISHED = "published", "published"
    REJECTED = "rejected", "rejected by a curator"
    WITHDRAWN = "withdrawn", "withdrawn"
