"""Runs under either interpreter: PATH COUNT -> how many AT commands a second our channel gets answered on a serial
port."""

import select
import sys
import time

from agent.codec import at
from agent.engine.at_channel import Channel
from boards.tty import Tty


def ask(path, count):
    """Commands a second: one written, its echo-free answer read and sorted, the signal taken from it; then the next."""
    port, channel, poll = Tty(path), Channel(), select.poll()
    poll.register(port.stream, select.POLLIN)
    start = time.time()
    for _ in range(count):
        channel.start("AT+CSQ")
        port.write(b"".join(channel.out))
        channel.out = []
        answer = None
        while not answer:
            assert poll.poll(5000), "no answer"
            for token in channel.reader.feed(port.read()):
                answer = channel.accept(token) or answer
        assert answer[:2] == ("answer", True) and at.signal(answer[2][0]) == -77, answer
    rate = count / (time.time() - start)
    port.close()
    return rate


if __name__ == "__main__":
    print(ask(sys.argv[1], int(sys.argv[2])))
