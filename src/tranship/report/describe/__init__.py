"""From nouns to documents. Begin with ``analysis.py``, the report of ``analyze``.

``facts.py`` words what the data says about a column, ``sides.py`` draws two tables beside each other. Layout
and escaping are the renderers' business and may not live here.
"""
