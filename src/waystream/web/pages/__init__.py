"""OPEN LIST of pages: a folder with page.py (its routes and its view model), store.py (what it reads) and a template.

A page module defines `router`, and `NAV` if the page stands in the rail. Pages read over all tables, they write none.
"""
