"""The command line. It parses, calls `tranship.api`, prints; it decides nothing. Heavy imports wait until a command runs."""

from tranship.cli.entry import main, script

__all__ = ["main", "script"]
