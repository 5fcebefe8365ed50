"""The command line. It parses, calls `tranship.api`, prints and gives an exit status; it decides nothing.

What lives here: options, progress on stderr, answers on stdout, signals. What may not live here: work on
databases (`api` and below), and texts that more than one command or a report needs (``report/``).

Heavy imports stand inside functions: ``tranship --help`` has to answer within 200 ms. Begin with
``entry.py``.

1. ``entry.py`` finds the command and turns failures into an exit status; ``commands/`` has one module per
   command.
2. ``context.py`` holds what one call knows of itself and the options that many commands share; ``start.py``
   loads a configuration; ``exit_status.py`` lists what a command can end with.
3. ``loop.py`` runs the event loop and answers signals; ``progress.py`` shows events; ``terminal.py`` writes
   lines; ``answer.py`` is the one form of all answers in JSON.
4. ``trouble.py`` words failures. 5. ``editing.py`` is the dialog of ``resolve edit``.
"""

from tranship.cli.entry import main, script

__all__ = ["main", "script"]
