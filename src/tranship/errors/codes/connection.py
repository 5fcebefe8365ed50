"""TS201 to TS299: a server cannot be reached or does not let us in. The phrases are public interface."""

from __future__ import annotations

from tranship.errors.message import ConnectMessage
from tranship.model.names import Side

_NETWORK = "check host and port, that the server runs and listens there, and the firewall between"
_WHO = (
    "check user and password and the permissions of the role;"
    "{elsewhere} special characters of a password in a URL are percent-encoded"
)
ELSEWHERE = " Azure's single servers want user@server as the user name, and"
"""What may be the cause where the server is not on this machine."""


class UnknownHost(ConnectMessage, frozen=True):
    code = "TS201"
    meaning = "the host's name has no address"
    cure = "check spelling, DNS, VPN and private endpoints"
    message = 'could not translate host name "{host}" to an address'
    hint = (
        "check the spelling of the host, DNS and VPN;"
        " a private endpoint has a name only inside its own network"
    )
    host: str


class Unreachable(ConnectMessage, frozen=True):
    code = "TS202"
    meaning = "there is no connection"
    cure = "check address, port and firewall, and the server's log"
    transient = True
    message = "cannot be reached: {reason}"
    hint = _NETWORK
    reason: str = ""


class ConnectTimedOut(ConnectMessage, frozen=True):
    code = Unreachable.code
    transient = True
    message = "no answer within {seconds:g} seconds"
    hint = _NETWORK
    seconds: float


class NoSocket(ConnectMessage, frozen=True):
    code = Unreachable.code
    transient = True
    message = "no server listens in the socket folder {folder} on port {port}"
    hint = _NETWORK
    folder: str
    port: int


class ConnectionRefused(Unreachable, frozen=True):
    message = "connection refused"


class ConnectionClosed(Unreachable, frozen=True):
    message = "the server closed the connection while we connected"
    hint = f"{_NETWORK}; the server's log may say why"


class ConnectionBroke(Unreachable, frozen=True):
    message = "the connection broke: {reason}"


class ConnectionLost(Unreachable, frozen=True):
    message = "the connection was lost: {reason}"
    hint = "run the same command again; if that fails, too, the server's log says what ended the session"


class NoServerSsl(ConnectMessage, frozen=True):
    code = "TS203"
    meaning = "the server does not support SSL"
    cure = 'write `"sslmode": "disable"`, or switch SSL on in the server'
    message = "server does not support SSL, but sslmode is {sslmode!r}"
    hint = 'write "sslmode": "disable" (or "prefer") in {key}_database, or switch SSL on in the server'
    sslmode: str
    key: str


class AuthenticationFailed(ConnectMessage, frozen=True):
    code = "TS204"
    meaning = "authentication failed, or the role may not connect"
    cure = "check user, password and `pg_hba.conf`, or grant CONNECT"
    message = 'authentication failed for user "{user}": {said}'
    hint = _WHO
    user: str
    said: str
    elsewhere: str = ""
    """`ELSEWHERE`, or nothing for a server of this machine."""


class PasswordRefused(AuthenticationFailed, frozen=True):
    # A server says the same of a role that does not exist. Its own words would repeat ours.
    message = (
        'authentication failed for user "{user}": the server does not accept the password, '
        "or there is no such role"
    )


class NoPasswordGiven(AuthenticationFailed, frozen=True):
    hint = f"no password was given; {_WHO}"


class NoHbaRule(AuthenticationFailed, frozen=True, kw_only=True):
    hint = (
        "the server has no rule that lets this role in from here: ask for a line in pg_hba.conf, "
        "or another sslmode than {sslmode}"
    )
    sslmode: str


class UnsupportedMethod(ConnectMessage, frozen=True):
    code = AuthenticationFailed.code
    message = "authentication failed: the server asks for a method that is not supported ({said})"
    hint = "use scram-sha-256 or md5"
    said: str


class MayNotConnect(AuthenticationFailed, frozen=True):
    message = "{said}"
    hint = 'GRANT CONNECT ON DATABASE … TO the role "{user}"'


class NoDatabase(ConnectMessage, frozen=True):
    code = "TS205"
    meaning = "the database does not exist"
    cure = "check the name, which is case-sensitive"
    message = 'database "{database}" does not exist'
    hint = 'check "database"; names are case-sensitive'
    database: str


class TooManyConnections(ConnectMessage, frozen=True):
    code = "TS206"
    meaning = "the server has too many connections"
    cure = "use fewer `--jobs`, or wait until others have gone"
    transient = True
    message = "too many connections: {said}"
    hint = "lower --jobs, or wait until others have gone"
    said: str


class TlsFailed(ConnectMessage, frozen=True):
    code = "TS207"
    meaning = "a certificate or the TLS handshake is wrong"
    cure = "check `sslmode` and `sslrootcert`"
    message = "the TLS handshake failed: {reason}"
    hint = "check sslmode and the certificates"
    reason: str


class UntrustedCertificate(ConnectMessage, frozen=True):
    code = TlsFailed.code
    message = "the server's certificate is not trusted: {reason}"
    hint = (
        '"sslrootcert" must hold the authority that signed it, and verify-full needs the host\'s name in it '
        "(sslmode is {sslmode})"
    )
    reason: str
    sslmode: str


class UnusableCertificate(ConnectMessage, frozen=True):
    code = TlsFailed.code
    message = "a certificate file cannot be used: {reason}"
    reason: str


class SystemAuthoritiesNeedVerifyFull(ConnectMessage, frozen=True):
    code = TlsFailed.code
    message = '"sslrootcert": "system" needs "sslmode": "verify-full", not {sslmode!r}'
    sslmode: str


class NoRootCertificate(ConnectMessage, frozen=True):
    code = TlsFailed.code
    message = "the root certificate file {path} does not exist"
    hint = (
        'give "sslrootcert" (or "system" for the authorities of this machine), or use "sslmode": "require"; '
        "{sslmode} has to verify"
    )
    path: str
    sslmode: str


class NoClientCertificate(ConnectMessage, frozen=True):
    code = TlsFailed.code
    message = "the client certificate or its key does not exist: {path}"
    hint = 'see "sslcert" and "sslkey"'
    path: str


class NotAccepting(ConnectMessage, frozen=True):
    code = "TS208"
    meaning = "the server does not take connections now: it starts, recovers or shuts down"
    cure = "try again; each connection waits for it as long as `connect_timeout` says"
    transient = True
    message = "the server does not accept connections now: {said}"
    hint = "try again in a moment"
    said: str


class SettingNotKept(ConnectMessage, frozen=True):
    code = "TS210"
    meaning = (
        "a session setting cannot be had: the connection goes through a pooler that cannot work here, "
        "or the new database silences triggers for this role by default"
    )
    cure = "connect to the server itself, or `RESET session_replication_role`"
    about = "{setting}"
    message = "{side} database: the session setting {setting} stays {now!r} instead of {wanted!r}"
    hint = "connect to the server itself, not through a pooler"
    side: Side
    setting: str
    now: str
    wanted: str


class SilencedByDefault(ConnectMessage, frozen=True):
    code = SettingNotKept.code
    about = "session_replication_role"
    message = (
        "NEW database: session_replication_role is {value} by default and may not be changed by this role"
    )
    hint = (
        "ALTER ROLE … (or DATABASE …) RESET session_replication_role, "
        "or take it out of the server's parameters, for the migration"
    )
    value: str


class OldTableLocked(ConnectMessage, frozen=True):
    code = "TS211"
    meaning = "another session keeps a table of OLD locked"
    cure = "see `pg_locks` on OLD"
    message = "OLD: a table stays locked by someone else: {said}"
    hint = "see pg_locks on OLD"
    said: str


class CouldNotBegin(ConnectMessage, frozen=True):
    code = "TS212"
    meaning = "the run could not begin"
    cure = "remove the cause that it names"
    message = "{what}: {said}"
    hint = "{remedy} and run again"
    what: str
    said: str
    remedy: str


class NoVersion(ConnectMessage, frozen=True):
    code = "TS213"
    meaning = "the server does not say which version of PostgreSQL it is, or one that is too old"
    cure = "connect to the PostgreSQL server itself, version 11 or newer"
    message = "the server, or a proxy in front of it, does not say which version of PostgreSQL it is"
    hint = "connect to the server itself, not through a proxy or pooler"


class UnreadableVersion(NoVersion, frozen=True):
    message = "the server calls its version {said!r}, which is none of PostgreSQL"
    hint = NoVersion.hint
    said: str


class ServerTooOld(NoVersion, frozen=True):
    message = "the server is PostgreSQL {version}: version 11 or newer is needed"
    hint = "move a dump of it through a server of version 11 or newer"
    version: str


class NoPasswordNow(ConnectMessage, frozen=True):
    code = "TS214"
    meaning = "`password_command`, asked again for a new connection, gave no password"
    cure = "run the command by hand"
    transient = True
    message = "password_command: {said}"
    hint = "run the command by hand"
    said: str


class ServerSaid(ConnectMessage, frozen=True):
    code = "TS299"
    meaning = "a server said something else"
    cure = "read its words in the message"
    transient = True
    message = "{said}"
    said: str
