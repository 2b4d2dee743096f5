"""u-blox SARA-R410M, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_ublox

PROFILE = {
    "about": "u-blox SARA-R410M-02B, LTE-M and NB-IoT, sockets by AT+USOCR",
    "identity": {
        "manufacturer": "u-blox",
        "model": "SARA-R410M-02B",
        "revision": "L0.0.00.00.05.12 [Feb 03 2021 13:00:41]",
        "imei": "352753090000017",
        "imsi": "001010123456706",
        "iccid": "8988211000000000706",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_ublox.COMMANDS},
    "session": sockets_ublox.SESSION,
    "define": basic_commands.COMMANDS["+CGDCONT"],
    "functionality": (0, 1, 4, 19),
    "restarts": (15, 16),
    "prompt": "\r\n@",
    "prompt_ms": 40,
    "prompt_escape": False,
    "booted": [],
    "sim_ready": [("+USIMSTAT", "+UUSIMSTAT: 6")],
    "sim_gone": [("+USIMSTAT", "+UUSIMSTAT: 0")],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d")],
    "datagram_waiting": ["+UUSORF: %(number)d,%(length)d"],
    "socket_closed": ["+UUSOCL: %(number)d"],
    # Real ones: boot 10000, attach up to minutes.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
