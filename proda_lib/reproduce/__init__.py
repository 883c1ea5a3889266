"""From notebooks and a plan to finished chapters and a book.

`plan` says what is stale and why, `run` brings it up to date, `book` assembles the result.
"""
