"""The nouns: frozen values without a driver, a clock or a file. Everything else in the package speaks in these."""
