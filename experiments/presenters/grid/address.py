"""The address of the grid: its whole state, and the addresses that differ from it in one thing."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse

from experiments.forms import GridForm
from experiments.presenters.grid.columns import DEFAULT_COLUMNS, FIRST, chosen_columns

_OF_PAGE = ("page_size", "page")
# What the address may say, in this order; anything else is no part of the page.
PARAMETERS = (
    *(name for name in GridForm.base_fields if name not in _OF_PAGE),
    "columns",
    *_OF_PAGE,
    "expand",
    "run",
)
# The part of it that no control of the filters holds: the form sends it along, unseen.
KEPT = ("load_class", "load_kind", "sort_by", "sort_direction", "page_size", "expand")
FOLLOW = "follow"
LONGEST_PAGE = 7  # digits of the number of a page
_FRAGMENT = re.compile(r"[\w-]{1,80}")


@dataclass(frozen=True)
class GridState:
    """What is unfolded, ticked and shown, as the query says; junk in it is left out."""

    expanded: tuple[str, ...] = ()
    selected: tuple[UUID, ...] = ()
    columns: tuple[str, ...] = DEFAULT_COLUMNS

    @classmethod
    def from_query(cls, query: QueryDict) -> "GridState":
        """Read `expand` and `run`, both repeated, and `columns`."""
        return cls(
            expanded=tuple(dict.fromkeys(filter(None, query.getlist("expand")))),
            selected=tuple(dict.fromkeys(_ids(query.getlist("run")))),
            columns=chosen_columns(query),
        )

    def toggled(self, key: str) -> list[str]:
        """Return what is unfolded after a click on the key; closing a row closes what is in it."""
        if key not in self.expanded:
            return [*self.expanded, key]
        return [item for item in self.expanded if item != key and not item.startswith(f"{key}.")]


class Address:
    """The canonical query of the page: known parameters, in one order, none of them empty.

    `page` is the one that is shown, `wrong` are parameters that cannot be read and are left out.
    """

    def __init__(
        self, query: QueryDict, state: GridState, *, page: int = 1, wrong: Collection[str] = ()
    ) -> None:
        values = {name: [text for text in query.getlist(name) if text] for name in PARAMETERS}
        values["hardware_categories"] = [
            part for text in values["hardware_categories"] for part in text.split(",") if part
        ]
        values["expand"] = list(state.expanded)
        values["run"] = [str(run_id) for run_id in state.selected]
        columns = [key for key in state.columns if key != FIRST] or [FIRST]
        values["columns"] = [",".join(columns)] if state.columns != DEFAULT_COLUMNS else []
        values["page"] = [str(page)] if page > 1 else []
        self._values = {name: found for name, found in values.items() if name not in wrong}
        self._written = {name: _written(name, found) for name, found in self._values.items()}
        self._path = reverse("experiments:grid")

    def to(self, **changes: str | int | Sequence[str] | None) -> str:
        """Return the address with some parameters changed; None and nothing remove one."""
        changed = {name: _written(name, value) for name, value in changes.items()}
        return _joined(self._path, {**self._written, **changed}, (*PARAMETERS, "format"))

    def elsewhere(self, path: str, names: Collection[str]) -> str:
        """Return another address with the parameters of these names."""
        return _joined(path, self._written, [name for name in PARAMETERS if name in names])

    def less(self, name: str, value: str, **changes: None) -> str:
        """Return the address without one of the values of a parameter, and with other changes."""
        left = [text for text in self._values[name] if text != value]
        return self.to(**{name: left, **changes})

    def pairs(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Return the values of some parameters, as hidden fields of a form need them."""
        return tuple((name, text) for name in names for text in self._values.get(name, ()))


def followed_address(query: QueryDict) -> str:
    """Return where a button leads that stands for a link where scripts are off.

    Its value is the link's address; the ticks are those of the form, since the link would forget
    what was ticked after the page was loaded. Only the query and the fragment of it are used.
    """
    link, _, fragment = str(query.get(FOLLOW, "")).partition("#")
    target = QueryDict(link.partition("?")[2], mutable=True)
    target.setlist("run", query.getlist("run"))
    page = target.get("page", "")
    shown = int(page) if page.isdecimal() and len(page) <= LONGEST_PAGE else 1
    address = Address(target, GridState.from_query(target), page=shown).to()
    return f"{address}#{fragment}" if _FRAGMENT.fullmatch(fragment) else address


def _written(name: str, value: object) -> str:
    return urlencode({name: value}, doseq=True) if value else ""


def _joined(path: str, written: Mapping[str, str], names: Iterable[str]) -> str:
    query = "&".join(text for name in names if (text := written.get(name)))
    return f"{path}?{query}" if query else path


def _ids(texts: Sequence[str]) -> Iterator[UUID]:
    for text in texts:
        try:
            yield UUID(text)
        except ValueError:
            continue
