"""Loads the configuration, with which most commands begin."""

from __future__ import annotations

from pathlib import Path

from tranship.cli.terminal import note
from tranship.config import Config, load_config


def load(path: Path) -> Config:
    """Returns the configuration and prints its warnings on stderr.

    Raises:
        UsageError: as `load_config`.
    """
    config = load_config(path)
    for warning in config.warnings:
        note(f"⚠ {warning}")
    return config
