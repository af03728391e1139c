"""Addresses of what is published. A figure's is permanent: releases add vintages to it."""

from django.urls import path

from sojourn_web.figures import public_files, public_views
from sojourn_web.figures.public_api import api, nowhere
from sojourn_web.figures.public_feeds import calendar_ics, releases_atom

FIGURE = (
    "figures/<str:release_table>/<str:span>/<str:period>/<str:quantity>/<str:nationality>"
    "/<str:mode>/<str:admission_class>"
)
urlpatterns = [
    path("figures/", public_views.home, name="published"),
    path("figures/tables", public_views.tables, name="public-tables"),
    path("figures/method", public_views.method, name="public-method"),
    path("figures/errors", public_views.errors, name="public-errors"),
    path("figures/metadata", public_views.metadata, name="public-metadata"),
    path("figures/calendar", public_views.calendar, name="public-calendar"),
    path("figures/calendar.ics", calendar_ics, name="public-calendar-ics"),
    path("figures/releases.atom", releases_atom, name="public-atom"),
    path("figures/downloads", public_views.downloads, name="public-downloads"),
    path("figures/downloads/<str:vintage>/<str:name>", public_files.download, name="download"),
    path(FIGURE, public_views.figure, name="figure"),
    path("api/v1/", api.urls),
    path("api/v1/<path:rest>", nowhere),
]
