"""The person's own pages, below ``/return/``: one question a page, without JavaScript.

In: requests of somebody who holds a reference and a code. Out: pages in fourteen languages.
Views parse, authorise, call one service, render. English alone is reviewed; every other
language says on each page that it is a draft.
"""
