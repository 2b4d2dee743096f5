"""Telit LE910C1-EUX, LTE Cat 1 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_telit

PROFILE = {
    "about": "Telit LE910C1-EUX, LTE Cat 1, sockets by AT#SD",
    "identity": {
        "manufacturer": "Telit",
        "model": "LE910C1-EUX",
        "revision": "25.30.223",
        "imei": "352676100000010",
        "imsi": "001010123456710",
        "iccid": "8988211000000000710",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_telit.COMMANDS, **sockets_telit.ECM},
    "session": sockets_telit.SESSION,
    "functionality": (0, 1, 4, 5),
    "booted": [("#QSS", "#QSS: 1")],
    "sim_ready": [("#QSS", "#QSS: 2"), ("#QSS", "#QSS: 3")],
    "sim_gone": [("#QSS", "#QSS: 0")],
    "sim_found": [("#QSS", "#QSS: 1")],
    "datagram_waiting": ["SRING: %(number)d"],
    "socket_closed": ["NO CARRIER: %(number)d,1"],
    # Real ones: boot 20000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20, "mux": 5000},
}
