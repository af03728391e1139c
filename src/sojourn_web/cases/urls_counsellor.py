"""Addresses of the desk, below ``cases/``."""

from django.urls import path

from sojourn_web.cases import views_case as case
from sojourn_web.cases import views_desk as desk
from sojourn_web.cases import views_find
from sojourn_web.cases import views_others as others

urlpatterns = [
    path("today", desk.today_page, name="today"),
    path("find", views_find.find_page, name="find-case"),
    path("new", desk.new_case, name="new-case"),
    path("new/hints", desk.hints, name="case-hints"),
    path("hand-over", desk.hand_over, name="hand-over"),
    path("transfers/<uuid:row>", desk.answer_transfer, name="answer-transfer"),
    path("break-glass", desk.break_glass, name="break-glass"),
    path("caseload", desk.caseload, name="caseload"),
    path("screenings", others.screenings, name="screenings"),
    path("screenings/<uuid:row>", others.screen, name="screen"),
    path("log", others.log_page, name="case-log"),
    path("accounts", others.account_list, name="accounts"),
    path("accounts/<int:number>", others.account, name="account"),
    path("accounts/<int:number>/end", others.end_account, name="end-account"),
    path("<str:reference>/", case.case_page, name="case"),
    path("<str:reference>/part/<slug:part>", case.case_page, name="case-part"),
    path("<str:reference>/do/<slug:name>", case.act_page, name="act"),
    path(
        "<str:reference>/open/<slug:table>/<uuid:row>/<slug:column>",
        case.open_sensitive,
        name="open-sensitive",
    ),
]
