"""The command `python -m components.ingest`."""

import sys

from components.ingest.stage import STAGE

if __name__ == "__main__":
    sys.exit(STAGE.main())
