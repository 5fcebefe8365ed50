"""The studio: a page on the loopback on which people read the comparison, answer its questions, and see their
answers applied to real rows.

What lives here: the web application and what guards it. What may not live here: judgements and texts of their
own; everything that the page shows comes from ``api``. It needs the extra ``studio``; the rest of tranship
never imports this package, only the command does.

Begin with ``serve.py``.

1. ``people.py``: links, sessions and roles. ``guard.py``: what every request has to fulfil, and the headers
   of every response.
2. ``desk.py``: the decisions, for several people at once. ``runs.py``: dry runs and live runs, as processes
   of their own.
3. ``app.py``: the routes. ``serve.py``: the server. ``static/``: the page itself, without a build step.
"""
