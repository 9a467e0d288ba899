"""Template filters for the names of metrics and definitions, which lead to what explains them.

They are filters and no included templates because punctuation follows them without a space.
"""

from django import template
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from experiments.presenters.charts import ChartAxis
from experiments.presenters.labels import DefinitionLink, MetricLink

register = template.Library()


@register.filter
def metric_page(name: MetricLink | ChartAxis) -> SafeString:
    """Write the label of a metric as a link to its page, if it has one."""
    if not name.key:
        return conditional_escape(name.label)
    address = reverse("experiments:metric", args=[name.key])
    return format_html('<a href="{}">{}</a>', address, name.label)


@register.filter
def definition_page(link: DefinitionLink | None) -> SafeString:
    """Write the short name of a definition as a link to its formula; "" for None."""
    if link is None:
        return SafeString("")
    if not link.id:
        return conditional_escape(link.label)
    address = reverse("experiments:metric", args=[link.metric])
    return format_html(
        '<a href="{}#{}" title="{}">{}</a>', address, link.id, link.formula, link.label
    )
