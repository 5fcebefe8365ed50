"""``tranship demo``: two throw-away servers, a generated shop, and the whole workflow on it.

What lives here: servers for the demo and for tests, and the story that the demo tells. What may not live
here: anything that a migration of real databases needs.

Begin with ``story.py``, which runs the commands in their order. ``servers.py`` makes and removes PostgreSQL
servers. The ``.sql`` files are the two shops and the questions that compare them at the end;
``shop_resolutions.json`` holds the decisions.
"""
