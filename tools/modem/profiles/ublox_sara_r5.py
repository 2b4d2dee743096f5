"""u-blox SARA-R510S, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_ublox

PROFILE = {
    "about": "u-blox SARA-R510S-01B, LTE-M and NB-IoT, sockets by AT+USOCR",
    "identity": {
        "manufacturer": "u-blox",
        "model": "SARA-R510S-01B",
        "revision": "03.15",
        "imei": "358729100000019",
        "imsi": "001010123456707",
        "iccid": "8988211000000000707",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_ublox.COMMANDS, **sockets_ublox.PROFILES},
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
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+UUPSDD: 0"],
    "datagram_waiting": ["+UUSORD: %(number)d,%(length)d"],
    "socket_closed": ["+UUSOCL: %(number)d"],
    # Real ones: boot 1500 to 5000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
