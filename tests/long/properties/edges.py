"""Values at the edges of PostgreSQL's types, and drawn ones, as texts that every version reads."""

from __future__ import annotations

import struct
from random import Random

TYPES = """
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE happy AS ENUM ('sad', 'ok', 'joy');
CREATE DOMAIN short AS varchar(3); CREATE DOMAIN even AS integer CHECK (VALUE % 2 = 0);
CREATE TYPE couple AS (a integer, b varchar(4)); CREATE TYPE triple AS (a integer, b numeric(6,2), c date);
"""
_WORDS = """
|a|12| 12 |-1|  x |true|yes|{1,2}|1.567|1e3|NaN|infinity|abcdef|1_000|é|{"a":1}|101|(1,2)|[1,5)|now|$1.23|-5|0.1
|4294967296|99999999999|16777217|123456789012345678901234567890.12345|1e-50|1e39|3.4028236e38|1.00000000000000001
|2024-01-02|2024-01-02 10:00:00.123456789|2024-01-02 24:00:00|2024-13-01|01/02/2024|epoch|allballs|12:34:56.789
|24:00:00|12:00:00+02|2024-01-02 10:00:00+02|1 day|1 mon 2 days 03:04:05.678|P1Y2M|1:2|today|abc  |abcd   |sad
|a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11|1.2.3.4|1.2.3.4/8|10.0.0.0/8|08:00:2b:01:02:03|<a/>|\\x00ff|0/16B3748|'a':1
"""
TEXTS = _WORDS.replace("\n", "").split("|")
_PLAIN = """
smallint: -32768 | -1 | 0 | 1 | 256 | 32767
integer: -2147483648 | -32769 | -1 | 0 | 1 | 2 | 32768 | 16777217 | 2147483647
bigint: -9223372036854775808 | -2147483649 | 0 | 1 | 4294967295 | 9007199254740993 | 9223372036854775807
numeric: NaN | 0 | 0.00 | 1.50 | 2.5 | -2.5 | 0.5 | 1e30 | 99999999.995 | 9223372036854775807.5 | 1e-20 | 32767.5 | 0.1 | 1e400
numeric(10,2): 12345678.91 | NaN | -0.01 | 2.50 | 99999999.99
numeric(20,10): 1.0000000001 | 9999999999.9999999999
real: NaN | Infinity | -Infinity | 1.1 | 3.4028235e38 | 1e-45 | -0 | 16777216 | 2.5 | 0.1 | 1e10 | 123456.7
double precision: NaN | -Infinity | 0.1 | 1.7976931348623157e308 | 5e-324 | 0.30000000000000004 | 2.5 | 3.5 | -0.5 | -0 | 1e39
double precision: 9007199254740993 | 9007199254740994 | 9223372036854775807 | 9223372036854774784 | 16777217 | 2147483647.5
money: 0 | 1.23 | -92233720368547758.08 | 92233720368547758.07 | -0.01
boolean: t | f
varchar(5): abcde | ab | 12 | é | 1.567 | true
varchar: abc | 3 | 2024-01-01 10:00:00.5
char(5): ab | abcde | 12.56
char(8): ab | 1.567 | true
name: ab | 12
bytea: \\x00ff | \\x
date: -infinity | infinity | 4714-11-24 BC | 2024-02-29 | 5874897-12-31 | 294276-12-31 | 294277-01-01 | 2024-03-10
timestamp: infinity | 294276-12-31 23:59:59.999999 | 2024-01-01 12:34:56.5 | 4714-11-24 00:00:00 BC | 2024-03-10 02:30:00
timestamp: 2024-11-03 01:30:00 | 2024-01-01 00:00:00 | 2024-06-30 23:59:59.999999
timestamp(3): 2024-01-01 12:34:56.789
timestamptz: infinity | 294276-12-31 23:59:59.999999+00 | 2024-11-03 06:30:00+00 | 4714-11-24 00:00:00+00 BC
timestamptz: 2024-01-01 05:00:00+00 | 2024-01-01 12:34:56.789012+00
timestamptz(0): 2024-07-01 12:00:00+02
time: 24:00:00 | 12:34:56.789 | 23:59:59.999999
time(0): 12:34:56 | 24:00:00
timetz: 12:00:00+02 | 24:00:00-15:59 | 12:00:00.5-05
interval: 1 mon -30 days +00:00:01.5 | -178000000 years | 178000000 years | 30 days | 24:00:00 | 1 year 2 mons 3 days 04:05:06.789
interval: 178956970 years 7 mons 2147483647 days 2562047788:00:54.775806 | 00:00:59.9999995
interval(0): 1 day
interval year to month: 1 year 2 mons
bit(3): 101
varbit: 1010101011 | 1
varbit(8): 10101010
json: {"b": 1,  "a":2} | 1 | null | "x" |   {}
jsonb: {"a": 1} | null | []
uuid: a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
inet: 1.2.3.4 | 10.0.0.1/8 | ::1 | 10.0.0.0/8
cidr: 10.0.0.0/8 | 1.2.3.4/32
macaddr: 08:00:2b:01:02:03
macaddr8: 08:00:2b:ff:fe:01:02:03 | 08:00:2b:01:02:03:04:05
oid: 4294967295 | 1
pg_lsn: 0/16B3748
point: (1,2) | (1e300,-0)
int4range: [1,5) | empty | (,5)
int8range: [1,9223372036854775807)
numrange: (1.5,2) | [1,2]
daterange: [2024-01-01,2024-02-01)
tstzrange: [2024-01-01 00:00:00+00,)
integer[]: {1,NULL,3} | [0:1]={1,2} | {{1,2},{3,4}}
bigint[]: {9223372036854775807}
text[]: {a,NULL,"b c"} | {12} | {2024-01-01} | {1.567} | {today}
varchar(3)[]: {abc}
char(3)[]: {ab}
numeric[]: {1.5,NaN} | {1.005}
numeric(6,2)[]: {1.25}
double precision[]: {0.1,1e300}
date[]: {2024-01-01}
timestamp[]: {2024-01-01 10:00:00.5}
boolean[]: {t,f}
mood: sad
happy: ok | joy
short: ab | abc
even: 2
couple: (1,a)
triple: (1,1.25,2024-01-01)
"""
_BLANKS = {
    "char(5)": [""],
    "varchar(5)": ["     "],
    "varchar": ["", "abc  "],
    "varbit": [""],
    "json": ["  {}  "],
}


def edges() -> dict[str, list[str]]:
    """The values of every type."""
    found: dict[str, list[str]] = {"text": list(dict.fromkeys(TEXTS))}
    for line in _PLAIN.strip().splitlines():
        type_, _, values = line.partition(": ")
        found.setdefault(type_, []).extend(value.strip() for value in values.split(" | "))
    for type_, values in _BLANKS.items():
        found[type_] += values
    return found


def drawn(type_: str, random: Random) -> str | None:
    """A value at random; None for types whose edges say enough."""
    whole = random.randint
    match type_:
        case "smallint" | "integer" | "bigint":
            bits = {"smallint": 15, "integer": 31, "bigint": 63}[type_]
            return str(whole(-(2**bits), 2**bits - 1) >> whole(0, bits))
        case "numeric":
            return f"{whole(-(10 ** whole(1, 30)), 10 ** whole(1, 30))}.{whole(0, 10 ** whole(1, 12))}"
        case "real":
            return repr(struct.unpack("f", struct.pack("I", whole(0, 0x7F7FFFFF)))[0])
        case "double precision":
            return repr(struct.unpack("d", struct.pack("Q", whole(0, 0x7FEFFFFFFFFFFFFF)))[0])
        case "date":
            return f"{whole(1, 9999):04d}-{whole(1, 12):02d}-{whole(1, 28):02d}"
        case "time":
            return f"{whole(0, 23):02d}:{whole(0, 59):02d}:{whole(0, 59):02d}.{whole(0, 999999):06d}"
        case "timestamp" | "timestamptz":
            return f"{drawn('date', random)} {drawn('time', random)}{'+00' if type_ == 'timestamptz' else ''}"
        case "interval":
            return f"{whole(-50, 50)} mons {whole(-400, 400)} days {whole(-(10**6), 10**6)}.{whole(0, 999999):06d} secs"
        case "text":
            kinds = ("integer", "numeric", "double precision", "date", "time", "timestamp", "interval")
            return drawn(random.choice(kinds), random)
        case _:
            return None
