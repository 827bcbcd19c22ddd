"""The command `python -m components.vectorize`."""

import sys

from components.vectorize.stage import STAGE

if __name__ == "__main__":
    sys.exit(STAGE.main())
