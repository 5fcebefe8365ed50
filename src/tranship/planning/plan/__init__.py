"""The plan: what fills every column of NEW, in which order the tables are filled, and what could reject a
row.

Lives here: the plan as a value, derived from catalogs, comparison and answers; its hash; the order of tables;
hazards. Does not live here: whether a hazard is real, which is for the rows to say (``execution/probe``), and
SQL. Begin with ``build``. Order of the files: unchanged → index_hazards → hazards · order → within → build →
hash; collisions decides about rows that exclude each other, for the dry run and for the copy.
"""
