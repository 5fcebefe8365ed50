"""The rollback: deleting from NEW what a run wrote there, and setting its sequences back.

Begin with ``command``, which is ``tranship rollback``: it says what would go and asks for the writer lock
before anything does. ``written`` finds, by their transactions, the rows that are still as the run wrote
them, and ``refusals`` what forbids their deletion. ``delete`` deletes them in pieces. An interrupted run
that is resumed uses ``written`` and ``delete``, too. Nothing here guesses: a row that cannot be proven ours
stays, and ``staying`` writes the file that names it.
"""
