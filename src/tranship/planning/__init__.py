"""From two catalogs to a plan: pure functions from nouns to nouns, without a driver, a clock or chance.

Lives here: who corresponds to whom, what differs, what a person has to decide, and what fills every column.
Does not live here: reading a server (``server``, ``analysis``), SQL (``sql``), words for people (``report``).
Begin with ``matching``. Order of the packages: printed · names → types → matching → comparing → deciding ·
plan; imports go back only. Apart from them stands ``opinion``, which shares no code with them.
"""
