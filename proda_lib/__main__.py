"""`python -m proda_lib` is the command `proda`."""

from __future__ import annotations

import sys

from proda_lib.cli import main

if __name__ == "__main__":
    sys.exit(main())
