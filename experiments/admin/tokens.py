"""API tokens: the secret is shown once, when one is made."""

from typing import cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from experiments.choices import TokenScope
from experiments.models import ApiToken


class ApiTokenForm(forms.ModelForm):  # type: ignore[type-arg]
    """A token's name, owner and scopes."""

    scopes = forms.MultipleChoiceField(
        choices=TokenScope.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = ApiToken
        fields = ("name", "scopes", "owner")


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens are made and revoked; what one may do stays as it was made."""

    form = ApiTokenForm
    list_display = ("name", "prefix", "scope_list", "owner", "last_used_at", "revoked_at")
    list_select_related = ("owner",)
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "=prefix")
    autocomplete_fields = ("owner",)
    ordering = ("-created_at", "-id")
    actions = ("revoke",)
    empty_value_display = "–"

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """Ask for what makes a token; show what became of one."""
        if obj is None:
            return ("name", "scopes", "owner")
        return ("name", *self.get_readonly_fields(request, obj))

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[str, ...]:
        """Leave only the name to be changed."""
        if obj is None:
            return ()
        return ("prefix", "scope_list", "owner", "created_at", "last_used_at", "revoked_at")

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Refuse: a token is revoked, so that its uploads still name it."""
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ApiTokenForm, change: bool
    ) -> None:
        """Rename a token, or issue a new one and show its secret this once."""
        if change:
            obj.save(update_fields=["name"])
            return
        secret = ApiToken.issue(name=obj.name, scopes=obj.scopes, owner_id=obj.owner_id)
        obj.pk = cast(ApiToken, ApiToken.objects.find(secret)).pk
        obj.refresh_from_db()
        message = f"The token, shown this once: {secret}"
        self.message_user(request, message, messages.WARNING)

    @admin.display(description="scopes")
    def scope_list(self, obj: ApiToken) -> str:
        """Return what the token may do."""
        return ", ".join(obj.scopes)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Make the tokens useless from now on."""
        count = queryset.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} tokens revoked.", messages.SUCCESS)
