"""Runs a device's program as a child that ends when this process is asked to, or is gone, but never by a signal.

MicroPython's unix port raises KeyboardInterrupt out of its C signal handler, at any instruction: struck in the middle
of an allocation it dies of "heap is locked" and says no good-bye. And it cannot catch SIGTERM at all. So the child
has both signals blocked and reads from a pipe: its end of file is the word to leave. This process holds the other
end, and nobody else does; the kernel closes it when this process is killed.
"""

import os
import signal
import subprocess
import time

from ..faults import Fault

_ASKED = {signal.SIGINT, signal.SIGTERM}
_LEAVE_S = 6.0  # for the good-bye, which the agent itself ends after 5 s
_EVER_S = 1e8


def leash():
    """(the child's end, ours) of a new pipe, as file descriptors; reading the child's never waits."""
    theirs, ours = os.pipe()
    os.set_blocking(theirs, False)
    return theirs, ours


def run(words, inherited, ours):
    """Run this command line (list of str) until it ends, or until SIGINT or SIGTERM; -> its exit code.

    inherited: file descriptors that the child gets, its end of the leash among them; ours: the other end. A second
    signal kills it, as does 6 s without an end (Fault). The signals stay blocked here: the caller is about to end.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, it would never be pending
    signal.pthread_sigmask(signal.SIG_BLOCK, _ASKED)  # which the child inherits; Ctrl-C goes to it as well
    child = subprocess.Popen(words, pass_fds=inherited, umask=0o077)  # MicroPython has no chmod
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    _wait(child, _EVER_S)
    os.close(ours)
    _wait(child, _LEAVE_S)
    if child.poll() is None:
        child.kill()
        child.wait()
        raise Fault("agent: it did not leave in time and was killed", "its server drops it when the lifetime is over")
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _wait(child, seconds):
    """Until the child has ended, or a signal asks for the end, or the time is up."""
    until = time.monotonic() + seconds
    while child.poll() is None:
        found = signal.sigtimedwait(_ASKED | {signal.SIGCHLD}, max(0.0, until - time.monotonic()))
        if found is None or found.si_signo in _ASKED:
            break
