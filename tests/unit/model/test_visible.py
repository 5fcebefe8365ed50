"""Text for people: what is not shown is written out, and statements keep their meaning."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import unicodedata

import pytest

from tranship.model.options import command_line
from tranship.model.visible import json_text, pasteable, printed, shell_word, visible

NASTY = "a\rb\x0bc\x0cd\x1b[2J\x85e\u2028f\u2029g\u061ch\u202ei\u2066j\u200bk\ufeffl\U000e0041m\u3164\x00"


def test_every_character_that_is_not_shown_is_known() -> None:
    hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in hidden and visible(chr(code)) == chr(code)
    ]
    assert shown == []


def test_one_line_and_many() -> None:
    assert visible(NASTY).isprintable()
    assert visible("a\nb\U000e0041") == "a\\u000ab\\U000e0041"
    assert printed("a\n\tb\r") == "a\n\tb\\r"
    assert visible("déjà vu 東京 🚢 → ⚠") == "déjà vu 東京 🚢 → ⚠"


def test_json_stands_for_the_same() -> None:
    text = json.dumps({"k": NASTY}, ensure_ascii=False, indent=2)
    assert json.loads(json_text(text)) == {"k": NASTY}
    assert [line for line in json_text(text).splitlines() if not line.isprintable()] == []
    assert len(json_text(text).splitlines()) == 3


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ('GRANT SELECT ON "a b" TO "c"', 'GRANT SELECT ON "a b" TO "c"'),
        ('GRANT SELECT ON "a\r\\b""c" TO "d"', 'GRANT SELECT ON U&"a\\000d\\\\b""c" TO "d"'),
        ('DROP TABLE "\U000e0041"', 'DROP TABLE U&"\\+0e0041"'),
        ("SELECT 'it''s\r'", "SELECT E'it''s\\u000d'"),
        ("SELECT 'C:\\dir'", "SELECT E'C:\\\\dir'"),
        ("SELECT E'\\n\\\\\r\\\r'", "SELECT E'\\n\\\\\\u000d\\u000d'"),
        ('SELECT "it\'s", \'say "\r"\'', 'SELECT "it\'s", E\'say "\\u000d"\''),
    ],
)
def test_statements(statement: str, expected: str) -> None:
    assert pasteable(statement) == expected


@pytest.mark.parametrize("word", ["plain", "two words", "it's\rend\\", "\x1b]0;x\x07", "é\u202e", "-x"])
def test_words_of_a_shell(word: str) -> None:
    assert shell_word(word).isprintable()
    said = subprocess.run(
        ["bash", "-c", f"printf %s {shlex.quote('x')}{shell_word(word)}"], capture_output=True, check=True
    )
    assert said.stdout.decode() == "x" + word
    assert command_line("tranship", "status", word).endswith(shell_word(word))
