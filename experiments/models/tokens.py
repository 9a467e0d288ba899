"""API tokens: random 256-bit secrets, stored as SHA-256 with a prefix to find them by."""

import hashlib
import secrets
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from experiments.choices import TokenScope

PREFIX_LENGTH = 8
TOKEN_START = "bsk_"  # noqa: S105 - a public marker, not a secret


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Look-ups of tokens."""

    def usable(self) -> "ApiTokenQuerySet":
        """Return tokens that were not revoked."""
        return self.filter(revoked_at__isnull=True)

    def find(self, secret: str) -> "ApiToken | None":
        """Return the usable token with this secret, or None."""
        digest = hashlib.sha256(secret.encode()).hexdigest()
        return self.usable().filter(digest=digest).select_related("owner").first()


class ApiToken(models.Model):
    """A named secret with which a program reads or writes through the API."""

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=TokenScope))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = "API token"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scopes__len__gt=0), name="apitoken_has_a_scope"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @classmethod
    def issue(cls, *, name: str, scopes: list[str], owner_id: int | None = None) -> str:
        """Create a token and return its secret, which is not stored and cannot be read again."""
        secret = TOKEN_START + secrets.token_urlsafe(32)
        cls.objects.create(
            name=name,
            prefix=secret[: len(TOKEN_START) + PREFIX_LENGTH],
            digest=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=scopes,
            owner_id=owner_id,
        )
        return secret

    def allows(self, *scopes: str) -> bool:
        """Whether the token has at least one of these scopes; `curate` implies all others."""
        return TokenScope.CURATE in self.scopes or bool(set(scopes) & set(self.scopes))
