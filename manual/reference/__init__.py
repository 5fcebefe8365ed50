"""Pages that are written from the code: commands, files, Python API, the table of error codes, the man page.

``python3 dev.py manual`` writes them into docs/reference, docs/errors.md and man; a test compares them with
the code. They are committed, so that they can be read without a site, and a wheel needs no tool. ``heads/``
holds what stands above the generated part of a page.

1. ``commands.py`` and ``man.py`` read the commands. 2. ``files.py`` reads the types of the files.
3. ``python.py`` reads tranship.api. 4. ``structs.py`` reads a type and the sentences at its fields.
5. ``write.py`` writes everything.
"""
