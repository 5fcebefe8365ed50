"""The configuration file: strict, complete, its secrets unprintable."""

from tranship.config.endpoint import Config, Endpoint, Secret
from tranship.config.read import load_config
from tranship.config.schema import config_schema

__all__ = ["Config", "Endpoint", "Secret", "config_schema", "load_config"]
