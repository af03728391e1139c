"""Every address."""

from django.urls import include, path

from sojourn_web.cases.api import api as cases_api
from sojourn_web.figures import estimate_views as estimates
from sojourn_web.figures import views as figures
from sojourn_web.runs import release_views
from sojourn_web.runs import views as runs
from sojourn_web.runs.ingest import api

handler404 = "sojourn_web.cases.applicant.off_the_path.not_found"
handler500 = "sojourn_web.cases.applicant.off_the_path.failed"
handler429 = "sojourn_web.accounts.too_many.answer"
urlpatterns = [
    path("", figures.front, name="dashboard"),
    path("", include("sojourn_web.figures.public_urls")),
    path("live/events", figures.live_events, name="live-events"),
    path("live/cells", figures.cells_fragment, name="live-cells"),
    path("live/estimates", estimates.strip, name="live-estimates"),
    path("estimates", estimates.estimates, name="estimates"),
    path("measures", figures.measures, name="measures"),
    path("sources", figures.sources, name="sources"),
    path("how-sure", figures.how_sure, name="how-sure"),
    path("runs/", runs.batches, name="runs"),
    path("runs/rejects", runs.rejects, name="rejects"),
    path("runs/feeds", runs.feeds, name="feeds"),
    path("runs/feeds/<int:token_id>/revoke", runs.revoke, name="revoke-feed"),
    path("runs/release", release_views.release, name="release"),
    path("runs/release/announce", release_views.announce, name="announce-release"),
    path(
        "runs/release/<int:request_id>/<str:decision>", release_views.decide, name="decide-release"
    ),
    path("ingest/", api.urls),
    path("cases/", include("sojourn_web.cases.urls")),
    path("return/", include("sojourn_web.cases.urls_applicant")),
    path("api/cases/v1/", cases_api.urls),
    path("accounts/", include("allauth.urls")),
]
