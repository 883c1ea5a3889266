"""From notebooks and a plan to finished chapters and a book.

`parameters_cell` reads what a notebook may be given, `plan` says what is stale and why, `run`
brings it up to date (in `kernel`), `book` assembles the result.
"""
