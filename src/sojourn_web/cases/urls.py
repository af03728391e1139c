"""Addresses of voluntary return, below ``cases/``."""

from django.urls import include, path

from sojourn_web.cases import views

urlpatterns = [
    path("", include("sojourn_web.cases.urls_papers")),
    path("", views.case_list, name="cases"),
    path("", include("sojourn_web.cases.urls_counsellor")),
    path("<str:reference>/move", views.move_case, name="move-case"),
    path("<str:reference>/withdraw", views.withdraw_case, name="withdraw-case"),
]
