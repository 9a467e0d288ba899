"""What an export states of a stored run or score beside what people write themselves (pure).

It lets a site that takes the export in keep ids, grouping and provenance as they were.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from experiments.formats.fields import Name, Text, Time, Url

CHECKSUM = "checksum"
EXPORT_FORMAT: Literal["benchsite-export"] = "benchsite-export"
CHANGED = (
    "This was changed after it was exported. Send the export as it came; or take origin, checksum "
    "and id out to send it as a result of your own."
)


def _in_digits(value: str) -> str:
    if value.strip("0123456789abcdef"):
        raise ValueError("A SHA-256 is written in 64 digits 0–9 and a–f.")
    return value


Sha256 = Annotated[str, StringConstraints(min_length=64, max_length=64), AfterValidator(_in_digits)]
Id = Annotated[UUID, Field(strict=False)]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True, frozen=True)


class UploadOrigin(_Stated):
    """The file that brought a run or score to the site that first had it, and who sent it."""

    id: Id
    sha256: Sha256
    file_name: Annotated[str, StringConstraints(max_length=255)] = ""
    place: Annotated[str, StringConstraints(max_length=255)] = ""
    format: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    parser_version: Annotated[int, Field(ge=0, lt=2**15)] | None = None
    received_at: Time
    received_from: Annotated[str, StringConstraints(max_length=300)] | None = None
    site: Url | None = None


class StatedWarning(_Stated):
    """A warning of when the run was read first."""

    path: str
    message: str
    value: Any = None


class RunOrigin(_Stated):
    """What a site had stored of a run when it exported it."""

    content_hash: Sha256
    workload_key: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    settings_key: Sha256
    sweep_key: Sha256 | None = None
    received_at: Time
    reported_names: dict[str, str] = Field(default_factory=dict)
    warnings: list[StatedWarning] = Field(default_factory=list)
    upload: UploadOrigin | None = None


class ScoreOrigin(_Stated):
    """What a site had stored of a score when it exported it."""

    content_key: Sha256
    received_at: Time
    upload: UploadOrigin | None = None


class ModelFacts(BaseModel):
    """What is known of a model variant beside its names; None where it is not."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, protected_namespaces=()
    )

    parameters: Annotated[int, Field(gt=0, lt=2**63)] | None = None
    active_parameters: Annotated[int, Field(gt=0, lt=2**63)] | None = None
    weights_gb: Annotated[float, Field(gt=0, lt=1e9)] | None = None
    bits_per_weight: Annotated[float, Field(gt=0, lt=1e3)] | None = None
    family: Name | None = None
    model_revision: Name | None = None
    quantizer: Name | None = None


class Export(BaseModel):
    """Who exported what, when and from where: the citation at the head of an export.

    It is for people; nothing of it is stored, so later versions may say more.
    """

    model_config = ConfigDict(extra="allow", allow_inf_nan=False)

    format: Literal["benchsite-export"]
    version: Annotated[int, Field(ge=1)]
    exported_at: Text


def checksum(record: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a record but for its own checksum.

    Keys are sorted, and 1.0 counts as 1: programs that read and write JSON change both.
    """
    kept = {key: _plain(value) for key, value in record.items() if key != CHECKSUM}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
