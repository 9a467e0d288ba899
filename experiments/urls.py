"""The pages' URLs; each holds the whole state of its page."""

from django.urls import path

from experiments.views import comparison, detail, grid, metrics, patterns

app_name = "experiments"
urlpatterns = [
    path("", grid.grid, name="grid"),
    path("detail/<uuid:run_id>/", detail.run_detail, name="run-detail"),
    path("compare/", comparison.comparison, name="comparison"),
    path("compare/<uuid:a>/<uuid:b>/", comparison.comparison_of_two, name="comparison-of-two"),
    path("metrics/", metrics.metrics, name="metrics"),
    path("metrics/<slug:key>/", metrics.metric, name="metric"),
    path("patterns/", patterns.patterns, name="patterns"),
]
