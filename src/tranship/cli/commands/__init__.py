"""One module per command: its options, one call of `tranship.api`, and its answer as text or JSON.

A module is imported when its command is called, and imports what is heavy inside its functions.
``entry.COMMANDS`` lists the commands.
"""
