"""u-blox LARA-R6001D, LTE Cat 1 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_ublox

PROFILE = {
    "about": "u-blox LARA-R6001D-00B, LTE Cat 1, sockets by AT+USOCR",
    "identity": {
        "manufacturer": "u-blox",
        "model": "LARA-R6001D-00B",
        "revision": "00.13",
        "imei": "354162110000015",
        "imsi": "001010123456708",
        "iccid": "8988211000000000708",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_ublox.COMMANDS, **sockets_ublox.PROFILES},
    "session": sockets_ublox.SESSION,
    "define": basic_commands.COMMANDS["+CGDCONT"],
    "functionality": (0, 1, 4, 19),
    "restarts": (15, 16),
    "prompt": "\r\n@",
    "prompt_ms": 40,
    "prompt_escape": False,
    "booted": ["+AT: READY"],
    "sim_ready": [("+USIMSTAT", "+UUSIMSTAT: 6")],
    "sim_gone": [("+USIMSTAT", "+UUSIMSTAT: 0")],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+UUPSDD: 0"],
    "datagram_waiting": ["+UUSORD: %(number)d,%(length)d"],
    "socket_closed": ["+UUSOCL: %(number)d"],
    "mux": {"broken_above": 31},
    # Real ones: boot 9000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
