"""Nordic's modem emulator dials as Serial Modem 2.0 does: +CGDATA in the context of the attach, and nothing else."""

from modem_device import until
from modem_line import scenario


def nordic(steps):
    async def registered(emulator, line):
        await until(lambda: emulator.state.running, "boot")
        for command in ("ATE0", "AT+CFUN=1"):
            await line.ask(command)
        await until(lambda: emulator.state.context(0).active, "the attach")
        await steps(line)

    scenario(registered, registered=False, profile="nordic-sm")


def test_it_dials_in_context_0_only():
    """AT+CGDATA[=<L2P>[,<cid>]], <cid> 0 by default; others have to be defined; ATD, ATO and ATH are not there."""

    async def steps(line):
        for command in ("ATD*99***1#", "ATD*99#", 'AT+CGDATA="PPP",1', "ATO", "ATH"):
            assert await line.ask(command) == ["ERROR"], command
        assert await line.ask('AT+CGDATA="PPP",0') == ["CONNECT"]

    nordic(steps)


def test_its_multiplexer_takes_no_parameters_but_mode_and_subset():
    async def steps(line):
        assert (await line.ask("AT+CMUX=0,0,5,127"))[-1].startswith(("ERROR", "+CME ERROR"))
        assert await line.ask("AT+CMUX=0,0") == ["OK"]

    nordic(steps)
