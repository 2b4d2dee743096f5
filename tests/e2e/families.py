"""Every modem family's profile, and what a test against it begins with."""

import pytest
from modem_device import scenario, until

# profile: the family's file. What has no sockets of its own that we use, ends registered.
FAMILIES = {
    "cinterion-ehs6": "cinterion",
    "cinterion-pls62": "cinterion",
    "fibocom-l610": "fibocom",
    "huawei-me909s": "huawei",
    "nordic-slm": "nordic",
    "nordic-sm": "nordic",
    "quectel-bg95": "quectelbg",
    "quectel-ec25": "quectel",
    "sierra-hl7800": "sierra",
    "simcom-a7670": "simcoma76",
    "simcom-sim7000": "simcom7000",
    "simcom-sim7080": "simcom70",
    "simcom-sim7600": "simcom",
    "telit-le910c1": "telit",
    "telit-me910c1": "telit",
    "ublox-lara-r6": "ubloxr6",
    "ublox-sara-r4": "ublox",
    "ublox-sara-r5": "ubloxr5",
}
WITHOUT_SOCKETS = ("huawei-me909s",)
WITHOUT_PPP = ("nordic-slm",)  # on the port of its commands
every_family = pytest.mark.parametrize("profile", sorted(FAMILIES))
without_sockets = pytest.mark.parametrize("profile", WITHOUT_SOCKETS)
with_ppp = pytest.mark.parametrize("profile", sorted(set(FAMILIES).difference(WITHOUT_PPP)))
with_sockets = pytest.mark.parametrize("profile", sorted(set(FAMILIES).difference(WITHOUT_SOCKETS)))


async def connect(device, since=0):
    """Wait for "connected", in what happens from the state number `since` on."""
    if device.modem.state == "unknown":
        device.do("target", "connected")
    await until(lambda: "connected" in device.states[since:] and device.modem.state == "connected", device.states)


async def exchange(device, echo, text):
    before = len(device.datagrams)
    assert device.do("send", "127.0.0.1", echo.port, text)
    await until(lambda: len(device.datagrams) > before, "an answer to %r" % text)
    assert device.datagrams[-1] == ("127.0.0.1", echo.port, text.upper())


def run(profile, steps, apn="iot"):
    """The modem has booted, and has been set to this APN before."""

    async def booted(emulator, device, echo):
        emulator.state.context(emulator.profile["context"]).apn = apn
        await until(lambda: emulator.state.running, "boot")
        await steps(emulator, device, echo)

    scenario(booted, profile=profile)
