"""`pointsman agent` in a network namespace of its own, where lo is down: there is no way out but the
one it makes itself.

usage: python netns_agent.py ARGUMENTS OF pointsman agent
"""

import ctypes
import os
import sys

from pointsman.tools import cli

system = ctypes.CDLL(None, use_errno=True)
if (system.unshare(0x40020000) or system.mount(b"none", b"/", None, 0x44000, None)
        or system.mount(b"sysfs", b"/sys", b"sysfs", 0, None)):  # fmt: skip
    raise SystemExit("no network namespace: " + os.strerror(ctypes.get_errno()))
sys.exit(cli.main(["agent"] + sys.argv[1:]))
