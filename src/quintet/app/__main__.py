"""`python -m quintet.app` is `quintet`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
