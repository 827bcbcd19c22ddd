"""The command `python -m components.train`."""

import sys

from components.train.stage import STAGE

if __name__ == "__main__":
    sys.exit(STAGE.main())
