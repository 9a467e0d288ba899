"""What every object of the site's own experiment JSON refuses: unknown fields, NaN, other types."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """An object with the fields of the format and no other: a misspelt name would be lost."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, strict=True, protected_namespaces=()
    )
