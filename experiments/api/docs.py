"""The description of the API as a page of the site: what the OpenAPI document says, to be read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import DocsBase

_REFERENCE = "#/components/schemas/"
_JSON = "application/json"
_FIRST_ERROR = "400"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """The type of a value in words; `shape` names the object that stands between them, or ""."""

    before: str = ""
    shape: str = ""
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Field:
    """A parameter of an operation, or a field of an object; `place` is "query", "path" or ""."""

    name: str
    kind: Kind
    is_required: bool
    text: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A status of success that an operation answers with, and the object in its body."""

    status: str
    kind: Kind


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What can be asked of one address; `bodies` are the types of content that it takes.

    `errors` are the statuses that come with the one object of errors.
    """

    id: str
    method: str
    path: str
    text: str
    needs_token: bool
    fields: tuple[Field, ...]
    bodies: tuple[str, ...]
    answers: tuple[Answer, ...]
    errors: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An object of the answers."""

    name: str
    text: str
    fields: tuple[Field, ...]


class SitePage(DocsBase):
    """Shows the description in the site's own look; it works without scripts."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """Return the page."""
        document = api.get_openapi_schema()
        context = {
            "description": document["info"]["description"],
            "document_url": self.get_openapi_url(api, kwargs),
            "operations": list(_operations(document["paths"])),
            "shapes": list(_shapes(document["components"]["schemas"])),
        }
        return render(request, "experiments/api.html", context)


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, by_method in paths.items():
        for method, item in by_method.items():
            bodies = item.get("requestBody", {}).get("content", {})
            responses = sorted(
                ((str(status), answer) for status, answer in item["responses"].items()),
                key=itemgetter(0),
            )
            yield Operation(
                id=item["operationId"],
                method=method.upper(),
                path=path,
                text=item.get("description") or item["summary"],
                needs_token={} not in item.get("security", [{}]),
                fields=tuple(_parameter(one) for one in item.get("parameters", ())),
                bodies=tuple(bodies),
                answers=tuple(_answer(*found) for found in responses if found[0] < _FIRST_ERROR),
                errors=tuple(status for status, _ in responses if status >= _FIRST_ERROR),
            )


def _parameter(item: Mapping[str, Any]) -> Field:
    schema = item.get("schema", {})
    texts = (item.get("description", ""), schema.get("description", ""))
    return Field(
        name=item["name"],
        kind=_kind(schema),
        is_required=bool(item.get("required")),
        text=" ".join(filter(None, texts)),
        place=item["in"],
    )


def _answer(status: str, item: Mapping[str, Any]) -> Answer:
    schema = item.get("content", {}).get(_JSON, {}).get("schema", {})
    return Answer(status=status, kind=_kind(schema))


def _shapes(schemas: Mapping[str, Any]) -> Iterator[Shape]:
    for name, schema in schemas.items():
        required = schema.get("required", ())
        yield Shape(
            name=name,
            text=schema.get("description", ""),
            fields=tuple(
                Field(
                    name=key,
                    kind=_kind(value),
                    is_required=key in required,
                    text=value.get("description", ""),
                )
                for key, value in schema.get("properties", {}).items()
            ),
        )


def _kind(schema: Mapping[str, Any]) -> Kind:
    """Say of which type a value is; the first object that the schema names becomes a link."""
    if "$ref" in schema:
        return Kind(shape=schema["$ref"].removeprefix(_REFERENCE))
    if "anyOf" in schema:
        kinds = [_kind(item) for item in schema["anyOf"]]
        first, *others = kinds
        after = "".join(f" or {other.before}{other.shape}{other.after}" for other in others)
        return Kind(before=first.before, shape=first.shape, after=first.after + after)
    if schema.get("type") == "array":
        inner = _kind(schema.get("items", {}))
        return Kind(before=f"list of {inner.before}", shape=inner.shape, after=inner.after)
    if "enum" in schema:
        return Kind(before=", ".join(f"“{value}”" for value in schema["enum"] if value))
    return Kind(before=_plain(schema))


def _plain(schema: Mapping[str, Any]) -> str:
    words = str(schema.get("format") or schema.get("type", "any JSON"))
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f"{words}, {least:,} to {most:,}"
    return f"{words}, {least:,} or more" if least is not None else words
