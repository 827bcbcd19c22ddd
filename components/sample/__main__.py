"""The command `python -m components.sample`."""

import sys

from components.sample.stage import STAGE

if __name__ == "__main__":
    sys.exit(STAGE.main())
