"""Tables as text: one line a row, words apart, the first words are the key.

A table of tuples costs about 100 bytes of heap a row; a string costs its length, and nothing at all when it
lies in flash (ROMFS, frozen). State machines are such tables: "state event next-state".
"""

from .errors import LocalError


def find(table, *key):
    """-> the words behind `key` in its row, or None. Rows begin and end with a newline."""
    head = "\n" + " ".join(key) + " "
    at = table.find(head)
    return None if at < 0 else table[at + len(head) : table.find("\n", at + len(head))].split()


def follow(table, state, event):
    """-> the state after `event` in `state`. LocalError when the table has no such row: that is a bug of
    ours."""
    found = find(table, state, event)
    if found is None:
        raise LocalError("no way to %s in state %s" % (event, state))
    return found[0]


def rows(table):
    """-> [[word]] of the whole table, for diagrams and tests."""
    return [line.split() for line in table.split("\n") if line]
