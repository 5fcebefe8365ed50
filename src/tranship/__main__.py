"""``python -m tranship``."""

from tranship.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
