"""`quintet` with a commit queue of another size: a load that a test can make then fills it.

    python queue_program.py ROWS WORDS...

The shipped queue holds a million readings, which is two seconds of what a large machine commits.
"""

import sys
from dataclasses import replace

from quintet.pipeline import bounds

if __name__ == "__main__":
    rows = int(sys.argv.pop(1))
    shipped = bounds.limits()
    bounds.limits = lambda: replace(shipped, queue_rows=rows)

from quintet.app.cli import main

if __name__ == "__main__":
    sys.exit(main())
