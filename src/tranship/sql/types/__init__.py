"""The SQL of the families of types, keyed as ``model/builtin_types.py`` keys their facts.

Begin with ``table.py``: one entry per family, made of the functions of ``numbers``, ``strings``, ``moments``
and ``others``.
``values.py`` puts them together for whole types: domains, arrays, composites and ranges.
"""
