"""TS106 to TS114: keys and values of a configuration. The reader puts file, line and JSON path before each
message; none holds a secret.
"""

from __future__ import annotations

from tranship.errors.message import UsageMessage


class UnknownKey(UsageMessage, frozen=True):
    code = "TS106"
    meaning = "the configuration has an unknown key"
    cure = "correct the key; the message gives the nearest known one"
    message = "unknown key {key}"
    hint = "{suggestion}"
    key: str
    """As JSON text."""
    suggestion: str


class WrongValue(UsageMessage, frozen=True):
    code = "TS107"
    meaning = "a value of the configuration is wrong"
    cure = "correct it; the message gives path and line"
    message = "{what} is expected here, not {kind}"
    what: str
    kind: str


class NoConfigurationObject(UsageMessage, frozen=True):
    code = WrongValue.code
    message = 'the configuration is an object: {{"old_database": {{…}}, "new_database": {{…}}}}'


class NoResolutionsFile(UsageMessage, frozen=True):
    code = WrongValue.code
    message = 'not a resolutions file: it holds no "resolutions"'
    hint = '{{"resolutions": {{"users": [{{"action": …}}]}}}}'


class OtherInPlaceOfResolutions(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "this is {kind}, and a resolutions file is expected here"
    hint = "{kind}: {place}; resolve generate writes a resolutions file"
    kind: str
    place: str


class ResolutionsNotAnObject(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "must be an object: table names, each with a list of entries"


class TablesNotAList(WrongValue, frozen=True):
    hint = "leave the key out for all"


class JournalSchemaOfServer(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "{schema!r} belongs to the server"
    hint = "leave the key out for _tranship"
    schema: str


class JournalSchemaTooLong(JournalSchemaOfServer, frozen=True):
    message = "{schema!r} is longer than a name in PostgreSQL may be: {longest:# byte|# bytes}"
    longest: int


class JournalSchemaOfData(JournalSchemaOfServer, frozen=True):
    message = "{schema!r} is a schema of the data"


class NulInText(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "the text holds a NUL character"


class EmptyText(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "the text is empty"
    hint = "leave the key out for the default"


class BrokenPlaceholder(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "${{ begins the name of an environment variable, as in ${{OLD_PASSWORD}}"
    hint = "write $${{ for a literal ${{"


class GivenTwice(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "password and password_command are both given"
    hint = "keep one of the two"


class DiffersFromUrl(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "{key} stands in the URL and as a key of its own, and they differ"
    hint = "keep one of the two"
    key: str


class SeveralHosts(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "several hosts are given"
    hint = "name one server: the whole run reads one snapshot"


class UnknownSslMode(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "unknown sslmode {mode!r}"
    hint = "{suggestion}"
    mode: str
    suggestion: str


class NumberOutOfRange(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "{key} is a whole number from 1 to {most}"
    key: str
    most: int


class NoCommand(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "a command line, or a list of its words, is expected here"


class EmptySchemas(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "the list of schemas is empty"
    hint = "leave the key out for all user schemas"


class NamedTwice(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "{name!r} stands twice in the list"
    name: str


class NoUrl(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "a URL begins with postgresql://"
    hint = "write it as postgresql://user@host:5432/database"


class SeveralHostsInUrl(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "several hosts in one URL"
    hint = "name one server"


class UnreadableUrl(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "host and port of the URL cannot be read"
    hint = (
        "percent-encode special characters of user and password (@ is %40, / is %2F),"
        " or give them as keys of their own"
    )


class UrlParameterWithoutValue(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "parameter {parameter!r} of the URL needs one ="
    parameter: str


class UnknownParameter(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "unknown connection parameter {parameter!r}"
    hint = "{suggestion}"
    parameter: str
    suggestion: str


class BrokenPercent(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "a % in the URL's {part} is not followed by two hexadecimal digits"
    hint = "write %25 for a percent sign"
    part: str


class UrlNotUtf8(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "the URL's {part} is not UTF-8 after percent-decoding"
    part: str


class NulInUrl(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "%00 is not allowed in the URL's {part}"
    part: str


class UndefinedService(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "service {service!r} is not defined in {places}"
    hint = "PGSERVICEFILE names the file"
    service: str
    places: str


class UnreadableServiceFile(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "the service file {file} cannot be read"
    file: str


class ServiceLineWithoutValue(UsageMessage, frozen=True):
    code = WrongValue.code
    message = "{file}:{line}: no = in the line"
    file: str
    line: int


class PasswordOnCommandLine(UsageMessage, frozen=True):
    code = "TS115"
    meaning = "a URL on the command line holds a password, which others can read there"
    cure = "put it into `~/.pgpass` (PGPASSFILE), or into a variable or `password_command` of a configuration"
    message = "the URL holds a password: other users can read a command line, and shells keep it"
    hint = (
        "put the password into ~/.pgpass (or the file that PGPASSFILE names), write '${{NAME}}' in its place"
        " to take it from the environment, or use a configuration file with password_command"
    )


class KeyMissing(UsageMessage, frozen=True):
    code = "TS108"
    meaning = "a key of the configuration is missing"
    cure = "add it"
    message = "the key {key!r} is missing"
    key: str


class OtherInPlaceOfConfiguration(UsageMessage, frozen=True):
    code = KeyMissing.code
    message = "this is {kind}, and a configuration is expected here"
    hint = "{kind}: {place}; tranship init writes a configuration"
    kind: str
    place: str


class MissingOnBothSides(UsageMessage, frozen=True):
    code = KeyMissing.code
    message = "{key} is missing on both sides and would be taken from {variable} for both"
    hint = "name {key} in old_database and in new_database"
    key: str
    variable: str


class VariableNotSet(UsageMessage, frozen=True):
    code = "TS109"
    meaning = "`${NAME}` is not in the environment"
    cure = "export it, or write `$${` for a literal `${`"
    message = "the environment variable {variable} is not set"
    hint = "export {variable}=… before the command, or write $${{ for a literal ${{"
    variable: str


class NoPassword(UsageMessage, frozen=True):
    code = "TS110"
    meaning = "`password_command` gave no password"
    cure = "run the command by hand"
    message = "{command} printed no password"
    hint = "run the command by hand"
    command: str


class CommandTimedOut(UsageMessage, frozen=True):
    code = NoPassword.code
    message = "{command} gave no password within {seconds:# second|# seconds}"
    command: str
    seconds: int


class CommandNotRun(UsageMessage, frozen=True):
    code = NoPassword.code
    message = "{command} cannot be run: {reason}"
    command: str
    reason: str | None


class CommandFailed(NoPassword, frozen=True):
    message = "{command} ended with status {status}"
    status: int


class PasswordNotUtf8(UsageMessage, frozen=True):
    code = NoPassword.code
    message = "the output of {command} is not UTF-8"
    command: str


class NoTablesNamed(UsageMessage, frozen=True):
    code = "TS114"
    meaning = "`tables` is empty"
    cure = "leave the key out for all tables"
    message = "No tables to migrate: \"tables\" is an empty list ({schemas}, OLD database '{database}')"
    hint = "leave the key out for all"
    schemas: str
    database: str
