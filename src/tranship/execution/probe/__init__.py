"""Asking both servers, read-only, which rows NEW would refuse: the same for the dry run and right before
the copy.

``group.probe_group`` asks, ``book.Book`` keeps what it found, ``records.fetch_records`` writes rejected
rows out.
"""
