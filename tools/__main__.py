"""`python -m pointsman.tools`: the `pointsman` command where it is not on the PATH."""

import sys

from .cli import main

sys.exit(main())
