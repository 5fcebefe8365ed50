"""Loads the configuration, with which most commands begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tranship.cli.terminal import note
from tranship.config import Config, config_from_urls, load_config


def load(words: Sequence[str], only: Sequence[str] = (), never: Sequence[str] = ()) -> Config:
    """Returns the configuration and prints its warnings on stderr.

    Args:
        words: the configuration file, or the URLs of OLD and NEW.
        only: patterns of ``--table``.
        never: patterns of ``--exclude-table``.

    Raises:
        UsageError: as `load_config` and `config_from_urls`.
    """
    config = load_config(Path(words[0])) if len(words) == 1 else config_from_urls(words[0], words[1])
    for warning in config.warnings:
        note(f"⚠ {warning}")
    return replace(config, only=tuple(only), never=tuple(never))
