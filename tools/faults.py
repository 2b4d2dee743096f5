"""What may go wrong in a command, said in one line: what happened, what to do, and an exit code of its own.

A command raises Fault for everything a user can cause or cure; any other exception that reaches the command line is a
bug and is reported as one. Nothing is half-written when a Fault is raised.
"""

import difflib

OK = 0
FAILED = 1  # the job was tried and did not succeed
USAGE = 2  # wrong arguments, an unknown or impossible setting
DEVICE = 3  # a serial port or network interface is missing
BUSY = 4  # an address, port or file is in use by somebody else
STORE = 5  # persistent state is there and cannot be read
HOST = 6  # a host name or address leads nowhere
PROGRAM = 7  # a program that is needed is not installed
INTERRUPTED = 130  # 128 + SIGINT, as shells count
PIPE_CLOSED = 141  # 128 + SIGPIPE: whoever read our output has gone

MEANINGS = (
    (OK, "done"),
    (FAILED, "the job failed"),
    (USAGE, "wrong usage or a bad setting"),
    (DEVICE, "device missing"),
    (BUSY, "in use"),
    (STORE, "store unreadable"),
    (HOST, "unknown host"),
    (PROGRAM, "needed program missing"),
    (INTERRUPTED, "interrupted"),
)


class Fault(Exception):
    """A failure with its cause and its cure: Fault("no serial port /dev/ttyX", "plug the modem in", DEVICE)."""

    def __init__(self, message, remedy="", code=FAILED):
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.code = code

    def __str__(self):
        return "%s; %s" % (self.message, self.remedy) if self.remedy else self.message


def nearest(word, known):
    """The one of `known` that `word` was probably meant to be, or None."""
    return next(iter(difflib.get_close_matches(word, list(known), 1, 0.5)), None)


def did_you_mean(word, known):
    """A remedy for an unknown word: the nearest known one, or all of them."""
    guess = nearest(word, known)
    return "did you mean %s?" % guess if guess else "choose one of: " + ", ".join(known)
