"""What the terminal behind a stream can do: whether it takes colour and how wide it is."""

import os
import shutil


def colourful(stream):
    """Whether to write colour codes to this stream: a terminal that is not dumb, and NO_COLOR not set (no-color.org).

    FORCE_COLOR overrides the first two, never NO_COLOR.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def width(least=60, most=160):
    """Columns to fill (characters)."""
    return max(least, min(most, shutil.get_terminal_size((100, 24)).columns))
