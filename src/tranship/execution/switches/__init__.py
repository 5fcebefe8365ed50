"""What is switched off on NEW while a group of tables is filled, and how it comes back.

Begin with ``triggers_and_keys``: it decides what has to be off for a group of tables. ``switch_board``
switches it off, with a journal entry in the same transaction, and restores it. ``indexes`` says which
indexes a load does without, and ``keys_later`` whether a proof replaces the checks of foreign keys.
``sequences`` moves NEW's sequences and ``statistics`` analyzes its tables at the end of a run. Nothing here
copies rows, and nothing is off that the journal does not name.
"""
