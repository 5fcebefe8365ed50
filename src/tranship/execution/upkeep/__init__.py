"""The commands that look at a journal and tidy up after runs; none of them moves a row.

``status`` says where the runs of a journal stand, and removes the journal once nobody needs it (``purge``).
``doctor`` shows what a crashed run left switched off, and restores it. The rollback has a package of its own.
"""
