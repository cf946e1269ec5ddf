"""``python -m benchmarks.load``."""

import sys

from benchmarks.load.run import main

if __name__ == "__main__":  # the generator's processes import this module too
    sys.exit(main())
