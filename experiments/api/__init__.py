"""The JSON API, mounted at /api/; its description is at /api/docs and /api/openapi.json."""

from experiments.api import exports, files, reads, writes
from experiments.api.docs import SitePage
from experiments.api.errors import add_exception_handlers
from experiments.api.site import SiteApi, fallback

api = SiteApi(
    title="Benchsite",
    version="1",
    description=(
        "Inference benchmark results: send files in, read the facts of the pages as JSON. "
        "null means not known. Every error has the fields error, code and details. "
        "The JSON Schema of the site's own format is at /api/schemas/experiment.json."
    ),
    urls_namespace="api",
    docs=SitePage(),
)
add_exception_handlers(api)
api.add_router("", reads.router)
api.add_router("", writes.router)
api.add_router("", files.router)
api.add_router("", exports.router)
api.add_router("", fallback)  # last: it takes every address that is left
