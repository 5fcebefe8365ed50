"""The configuration file as values: every key is checked, missing ones are completed as libpq would, secrets
are unprintable.

What lives here: reading the file, environment variables, service and password files. What may not live here:
connections, and knowledge of what is in the databases.

Begin with ``endpoint.py`` (the values), then ``read.py``.

1. ``endpoint.py`` has the values; ``schema.py`` names every key, for the reader and for editors.
2. ``reading.py`` reads texts and names anywhere in the file; ``libpq.py`` knows URLs, service files, password
   files and defaults.
3. ``databases.py`` reads the two databases, ``password.py`` finds their passwords, ``password_command.py``
   runs a command for one, ``urls.py`` takes URLs or values in place of a file, ``read.py`` puts everything
   together.
4. ``engine.py`` reads the address of a Dask cluster.
"""

from tranship.config.endpoint import Config, Endpoint, Secret
from tranship.config.engine import EngineAddress, engine_address, is_loopback
from tranship.config.password_command import CommandSecret, CommandTrouble
from tranship.config.read import config_from_urls, config_from_values, load_config
from tranship.config.schema import config_schema

__all__ = [
    "CommandSecret",
    "CommandTrouble",
    "Config",
    "Endpoint",
    "EngineAddress",
    "Secret",
    "config_from_urls",
    "config_from_values",
    "config_schema",
    "engine_address",
    "is_loopback",
    "load_config",
]
