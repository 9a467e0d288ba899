"""What the buttons of a preview do: check, confirm or discard drafts, and keep every field."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import QueryDict

from experiments.ingest.actor import Actor
from experiments.ingest.drafts import check_draft, confirm_draft, discard_drafts
from experiments.ingest.report import Report
from experiments.ingest.store import stated_fields
from experiments.models import Upload
from experiments.upload_form import HARDWARE_FIELDS, ChoosingForm, DraftForm

SHARED_PREFIX = "all"
# Fields that are asked for together with one that files lack.
ASKED_ALONG = {"gpu_model": ("gpu_count", "gpu_memory_gb")}
_ACTIONS = ("check", "confirm", "discard", "find", "use")


@dataclass(frozen=True, kw_only=True)
class Action:
    """Which button was pressed: what to do, on which upload (None: all), with which field."""

    name: str
    upload_id: UUID | None = None
    field_name: str = ""

    def covers(self, upload: Upload) -> bool:
        """Tell whether the button was for this upload."""
        return self.upload_id in (None, upload.pk)


@dataclass(kw_only=True)
class Outcome:
    """What an action did; `invalid` forms are shown again as they were filled in."""

    invalid: dict[UUID, DraftForm] = field(default_factory=dict)
    shared: ChoosingForm | None = None
    checked: list[Report] = field(default_factory=list)
    confirmed: list[Report] = field(default_factory=list)
    discarded: int = 0


def prefix_of(upload: Upload) -> str:
    """Return what the names of a draft's form fields begin with."""
    return f"f{upload.pk.hex}"


def read_action(text: str) -> Action | None:
    """Read the value of a button, "confirm" or "use:<upload id>:gpu_model"; None for junk."""
    name, _, rest = text.partition(":")
    upload_id, _, field_name = rest.partition(":")
    if name not in _ACTIONS:
        return None
    try:
        return Action(
            name=name, upload_id=UUID(upload_id) if upload_id else None, field_name=field_name
        )
    except ValueError:
        return None


def perform(action: Action, drafts: Sequence[Upload], post: QueryDict, actor: Actor) -> Outcome:
    """Keep what was filled in for each draft, then do what the button says."""
    outcome = Outcome()
    if action.name == "discard":
        chosen = [draft.pk for draft in drafts if action.covers(draft)]
        outcome.discarded = discard_drafts(Upload.objects.filter(pk__in=chosen))
        drafts = [draft for draft in drafts if draft.pk not in chosen]
    shared = ChoosingForm(post, prefix=SHARED_PREFIX)
    if not shared.is_valid():
        outcome.shared = shared
    for draft in drafts:
        _keep_fields(action, draft, post, shared, outcome)
        if draft.pk not in outcome.invalid:
            _check(action, draft, actor, outcome)
    return outcome


def fields_asked(missing: Sequence[str]) -> list[str]:
    """Return the fields to ask for where a file lacks some."""
    return [name for lacking in missing for name in (lacking, *ASKED_ALONG.get(lacking, ()))]


def fields_shared(draft: Upload) -> list[str]:
    """Return the fields that several files can be given at once: what one lacks, and its sweep."""
    names = fields_asked(draft.report.get("missing", ()))
    return [*names, "sweep"] if draft.report.get("preview", {}).get("runs") else names


def _for_all(shared: ChoosingForm, draft: Upload) -> dict[str, str]:
    """Return what was stated for all files, as far as it fills a gap of this one.

    A machine that was chosen fills every field of the hardware; of a model only the names that
    the file lacks are taken, so that files of several quantizations keep theirs.
    """
    if not shared.is_valid():
        return {}
    missing = draft.report.get("missing", ())
    asked = fields_shared(draft)
    if "gpu_model" in missing and shared.cleaned_data["machine"]:
        asked += HARDWARE_FIELDS
    if "model_name" in missing and shared.cleaned_data["variant"]:
        asked.append("lora_adapter")
    return {name: value for name, value in shared.context().items() if name in asked}


def _keep_fields(
    action: Action, draft: Upload, post: QueryDict, shared: ChoosingForm, outcome: Outcome
) -> None:
    """Put the fields of the page into the draft, not saved yet, or its form among the invalid."""
    fields: dict[str, Any] = dict(draft.context)
    form = DraftForm(post, prefix=prefix_of(draft))
    if form.add_prefix("sent") in post:
        if not form.is_valid():
            outcome.invalid[draft.pk] = form
            return
        fields = form.context()
        draft.replacing = form.cleaned_data["replace"]
    fields = _for_all(shared, draft) | fields
    if action.name == "use" and action.upload_id == draft.pk:
        suggested = draft.report.get("suggestions", {})
        if action.field_name in suggested:
            fields[action.field_name] = suggested[action.field_name]
    draft.context = stated_fields(fields)


@transaction.atomic
def _check(action: Action, draft: Upload, actor: Actor, outcome: Outcome) -> None:
    """Check a draft whose fields changed, and confirm it if that is asked and nothing forbids."""
    before = Upload.objects.drafts().select_for_update().filter(pk=draft.pk).first()
    if before is None:  # confirmed or discarded in the meantime, by a second click
        return
    changed = (draft.context, draft.replacing) != (before.context, before.replacing)
    refused = bool(draft.report.get("refusal"))
    if changed or (action.name == "check" and action.covers(draft)):
        report = check_draft(draft, actor)
        outcome.checked.append(report)
        refused = report.refusal is not None
    if action.name == "confirm" and action.covers(draft) and not refused:
        outcome.confirmed.append(confirm_draft(draft, actor))
