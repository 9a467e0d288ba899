"""The parts of the OpenAPI document that no signature tells: form parameters and file bodies."""

from typing import Any

from django import forms
from pydantic import TypeAdapter

from experiments.api.schemas import ErrorAnswer
from experiments.formats.site.schema import ExperimentFile, ExperimentsFile, ScoreSet
from experiments.ingest.context import UploadContext

_FLAGS = {
    "dry_run": "Read and check the file, write nothing.",
    "replace": "Replace runs that are here with other content; needs the scope “curate”.",
}
# Open on a public site, and with a token or a login on any.
READ_SECURITY: dict[str, Any] = {"security": [{}]}


def errors(*statuses: int) -> dict[frozenset[int], type[ErrorAnswer]]:
    """Return the declaration of the error statuses of an operation."""
    return {frozenset(statuses): ErrorAnswer}


def query_parameters(form_class: type[forms.Form]) -> list[dict[str, Any]]:
    """Return the parameters of a query string that a form reads."""
    return [
        {
            "in": "query",
            "name": name,
            "description": str(field.label or name),
            "required": False,
            "schema": _field_schema(field),
        }
        for name, field in form_class.base_fields.items()
    ]


def _field_schema(field: forms.Field) -> dict[str, Any]:
    if isinstance(field, forms.IntegerField):
        # Django derives its FloatField from IntegerField.
        kind = "number" if isinstance(field, forms.FloatField) else "integer"
        limits = {"minimum": field.min_value, "maximum": field.max_value}
        return {"type": kind} | {key: limit for key, limit in limits.items() if limit is not None}
    if isinstance(field, forms.BooleanField):
        return {"type": "boolean"}
    if isinstance(field, forms.ModelChoiceField):
        return {"type": "string"}
    if isinstance(field, forms.MultipleChoiceField):
        return {"type": "string", "description": "Several with commas between."}
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return {"type": "string", "enum": [value for value, _label in choices]}
    return {"type": "string"}


def upload_body() -> dict[str, Any]:
    """Return the request of an upload: a multipart field or the raw body, and the context."""
    context = UploadContext.model_json_schema()["properties"]
    flags = {
        name: {"type": "boolean", "default": False, "description": text}
        for name, text in _FLAGS.items()
    }
    fields = context | flags
    file = {"type": "string", "format": "binary"}
    multipart = {"type": "object", "required": ["file"], "properties": {"file": file, **fields}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": multipart},
                "application/json": {"schema": {}},
                "application/octet-stream": {"schema": file},
                "application/zip": {"schema": file},
            },
        },
        "parameters": [
            {"in": "query", "name": name, "required": False, "schema": schema}
            for name, schema in fields.items()
        ],
    }


def experiment_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the site's own format."""
    adapter: TypeAdapter[Any] = TypeAdapter(ExperimentFile | ExperimentsFile | ScoreSet)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Benchsite experiment JSON",
        **adapter.json_schema(),
    }
