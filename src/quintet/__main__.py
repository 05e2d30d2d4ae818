"""`python -m quintet` is the command line."""

import sys

from quintet.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
