"""Bring the catalogues of translations up to the phrases of today.

In: templates and code of the person's pages. Out: ``locale/*/LC_MESSAGES/django.po``, with what was
translated before; new phrases wait empty.
"""

from __future__ import annotations

from sojourn_web.cases.applicant.catalogues import refresh_all

refresh_all()
