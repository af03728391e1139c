"""Addresses of files, letters, erasures, rules of keeping, reports and other systems."""

from django.urls import path

from sojourn_web.cases import views_office as office
from sojourn_web.cases import views_papers as papers

urlpatterns = [
    path("erasures", office.erasures, name="erasures"),
    path("keeping", office.keeping_rules, name="keeping"),
    path("reports", office.reports, name="case-reports"),
    path("reports.csv", office.reports_csv, name="case-reports-csv"),
    path("systems", office.systems, name="case-systems"),
    path("systems/<uuid:token_id>/revoke", office.revoke_system, name="revoke-system"),
    path("<str:reference>/files", papers.files_page, name="case-files"),
    path("<str:reference>/files/add", papers.add_file, name="add-file"),
    path("<str:reference>/files/<uuid:file_id>", papers.download, name="case-file"),
    path("<str:reference>/letters", papers.letters_page, name="case-letters"),
    path("<str:reference>/letters/make", papers.make_letter, name="make-letter"),
    path("<str:reference>/erasure/ask", office.ask_erasure, name="ask-erasure"),
    path("<str:reference>/erasure/yes", office.approve_erasure, name="approve-erasure"),
    path("<str:reference>/erasure/no", office.refuse_erasure, name="refuse-erasure"),
]
