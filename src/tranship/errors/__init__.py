"""What goes wrong: the exceptions and the one table of error codes.

``codes/`` is the table: a class per code and per message, with the templates of the words and the typed
fields that fill them. ``message`` says what such a class is, ``exceptions`` holds what is raised.  A raiser
gives the message and its fields (``raise Refused(SameDatabase(old=…, new=…))``); a problem that does not stop
anything by itself is ``SameDatabase(…).problem()``.

May not be here: connections, SQL, knowledge of commands.  Begin with ``message``, then one file of
``codes/``.
"""

from tranship.errors.exceptions import ConnectError, Differs, Refused, Stopped, TranshipError, UsageError
from tranship.errors.message import Message

__all__ = ["ConnectError", "Differs", "Message", "Refused", "Stopped", "TranshipError", "UsageError"]
