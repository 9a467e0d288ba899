"""The query strings that only the API has."""

from django import forms

from experiments.forms import public_benchmarks
from experiments.grid import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE


class ListForm(forms.Form):
    """Which page of a list, and the benchmark whose score stands for quality."""

    benchmark = forms.ModelChoiceField(
        public_benchmarks(), to_field_name="slug", required=False, label="Quality by"
    )
    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    page_size = forms.IntegerField(required=False, min_value=1, max_value=MAX_PAGE_SIZE)

    def page_slice(self) -> slice:
        """Return which of all rows were asked for; call it on a valid form only."""
        page = self.cleaned_data["page"] or 1
        size = self.cleaned_data["page_size"] or DEFAULT_PAGE_SIZE
        return slice((page - 1) * size, page * size)
