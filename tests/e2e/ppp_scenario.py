"""A modem to dial through, and a peer behind it, for tests."""

import asyncio
import socket

from pointsman.tools.modem.emulator import Emulator

QUICK = {"boot": 1, "sim": 1, "attach": 1, "dial": 1}


def scenario(steps, **known):
    """steps(emulator, port of an upper-casing UDP server, the peers that it saw)"""

    async def main():
        loop, seen = asyncio.get_running_loop(), []
        echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        echo.bind(("127.0.0.1", 0))
        echo.setblocking(False)

        def answer():
            data, peer = echo.recvfrom(2048)
            seen.append(peer[0])
            echo.sendto(data.upper(), peer)

        loop.add_reader(echo, answer)
        emulator = Emulator(ms=QUICK, **known)
        await emulator.start()
        while not emulator.state.registered:
            await asyncio.sleep(0.01)
        try:
            await steps(emulator, echo.getsockname()[1], seen)
        finally:
            await emulator.stop()
            loop.remove_reader(echo)
            echo.close()

    asyncio.run(main())
