"""Every address."""

from django.urls import include, path

from sojourn_web.cases.api import api as cases_api
from sojourn_web.figures import views as figures
from sojourn_web.runs import views as runs
from sojourn_web.runs.ingest import api

urlpatterns = [
    path("", figures.dashboard, name="dashboard"),
    path("live/events", figures.live_events, name="live-events"),
    path("live/cells", figures.cells_fragment, name="live-cells"),
    path("measures", figures.measures, name="measures"),
    path("sources", figures.sources, name="sources"),
    path("how-sure", figures.how_sure, name="how-sure"),
    path("runs/", runs.batches, name="runs"),
    path("runs/rejects", runs.rejects, name="rejects"),
    path("runs/feeds", runs.feeds, name="feeds"),
    path("runs/feeds/<int:token_id>/revoke", runs.revoke, name="revoke-feed"),
    path("ingest/", api.urls),
    path("cases/", include("sojourn_web.cases.urls")),
    path("api/cases/v1/", cases_api.urls),
    path("accounts/", include("allauth.urls")),
]
