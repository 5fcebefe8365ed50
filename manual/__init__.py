"""The manual's tools. `python3 dev.py docs` renders docs/ as a site, `python3 dev.py manual` writes the pages
that are generated from the code.

What lives here: everything about the form of the manual. What may not live here: its sentences, which stand
in docs/, and anything that tranship needs when it runs. Begin with ``site.py``.

1. ``pages.py`` reads the table of contents, docs/index.md. 2. ``markdown.py`` turns a page into HTML.
3. ``site.py`` writes the site and its search index. 4. ``reference/`` writes the generated pages.
5. ``pictures.py`` makes docs/img.
"""
