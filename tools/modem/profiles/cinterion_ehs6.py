"""Cinterion EHS6, UMTS (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_cinterion

_WITHOUT = ("+CEREG",)  # of LTE modems only

PROFILE = {
    "about": "Cinterion EHS6, UMTS, sockets by AT^SISO that bring the context up, APN by AT^SICS",
    "identity": {
        "manufacturer": "Cinterion",
        "model": "EHS6",
        "revision": "REVISION 03.001",
        "imei": "353109040000012",
        "imsi": "001010123456710",
        "iccid": "8988211000000000710",
    },
    "commands": {name: function for name, function in {**basic_commands.COMMANDS, **sockets_cinterion.OLD}.items()
                 if name not in _WITHOUT},  # fmt: skip
    "technology": 2,
    "session": sockets_cinterion.SESSION,
    "on_demand": True,
    "booted": ["^SYSSTART"],
    "sim_ready": [("^SCKS", "^SCKS: 1")],
    "sim_gone": [("^SCKS", "^SCKS: 0")],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d")],
    "datagram_waiting": ["^SISR: %(number)d,1"],
    "socket_closed": ['^SIS: %(number)d,0,48,"Remote peer has closed the connection"'],
    "power_down": ["^SHUTDOWN"],
    "mux": {"n1": 97, "channels": 3},
    # Real ones: boot 5000 and more.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
