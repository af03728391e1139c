"""Addresses of the person's own pages, below ``return/``."""

from django.urls import path

from sojourn_web.cases.applicant import (
    views_case,
    views_family,
    views_files,
    views_public,
    views_rights,
)

urlpatterns = [
    path("", views_public.landing, name="return"),
    path("begin", views_public.begin, name="return-begin"),
    path("enter", views_public.enter, name="return-enter"),
    path("join", views_family.join, name="return-join"),
    path("leave", views_public.leave, name="return-leave"),
    path("sign-out", views_public.sign_out, name="return-sign-out"),
    path("case/", views_case.home, name="return-home"),
    path("case/ask/<str:section>/<str:name>", views_case.question, name="return-question"),
    path("case/move", views_case.move, name="return-move"),
    path("case/withdraw", views_case.withdraw, name="return-withdraw"),
    path("case/rejoin", views_case.rejoin, name="return-rejoin"),
    path("case/family", views_family.overview, name="return-family"),
    path("case/family/child", views_family.add_child, name="return-add-child"),
    path("case/family/child/<uuid:child>", views_family.change_child, name="return-child"),
    path("case/family/invite", views_family.invite, name="return-invite"),
    path("case/files", views_files.files, name="return-files"),
    path("case/files/<uuid:file_id>", views_files.open_file, name="return-file"),
    path("case/held", views_rights.held, name="return-held"),
    path("case/log", views_rights.log, name="return-log"),
    path("case/my-record.json", views_rights.export_json, name="return-json"),
    path("case/my-record.html", views_rights.export_page, name="return-record"),
    path("case/my-record.pdf", views_rights.export_pdf, name="return-pdf"),
    path("case/consents", views_rights.agreements, name="return-consents"),
    path("case/consents/take-back", views_rights.take_back, name="return-take-back"),
    path("case/consents/<str:purpose>", views_rights.agree, name="return-consent"),
    path("case/wish", views_rights.ask, name="return-wish"),
    path("case/complain", views_rights.complain, name="return-complain"),
    path("case/appeal", views_rights.appeal, name="return-appeal"),
    path("case/rate", views_rights.rate, name="return-rate"),
    path("case/erase", views_rights.erase, name="return-erase"),
]
