"""Telit ME910C1-E2, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_telit

PROFILE = {
    "about": "Telit ME910C1-E2, LTE-M and NB-IoT, sockets by AT#SD",
    "identity": {
        "manufacturer": "Telit",
        "model": "ME910C1-E2",
        "revision": "30.00.005",
        "imei": "353080090000012",
        "imsi": "001010123456711",
        "iccid": "8988211000000000711",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_telit.COMMANDS},
    "technology": 8,
    "session": sockets_telit.SESSION,
    "functionality": (0, 1, 4, 5),
    "booted": [("#QSS", "#QSS: 1")],
    "sim_ready": [("#QSS", "#QSS: 2"), ("#QSS", "#QSS: 3")],
    "sim_gone": [("#QSS", "#QSS: 0")],
    "sim_found": [("#QSS", "#QSS: 1")],
    "datagram_waiting": ["SRING: %(number)d"],
    "socket_closed": ["NO CARRIER: %(number)d,1"],
    # Real ones: boot 15000, attach up to minutes.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20, "mux": 5000},
}
