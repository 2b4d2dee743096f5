"""Sierra Wireless HL7800, LTE-M and NB-IoT (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_sierra

PROFILE = {
    "about": "Sierra Wireless HL7800, LTE-M and NB-IoT, sockets by AT+KUDPCFG",
    "identity": {
        "manufacturer": "Sierra Wireless",
        "model": "HL7800",
        "revision": "HL7800.4.6.9.4",
        "imei": "354616090000019",
        "imsi": "001010123456709",
        "iccid": "8988211000000000709",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_sierra.COMMANDS},
    "session": sockets_sierra.SESSION,
    "prompt": "\r\nCONNECT\r\n",
    "prompt_escape": False,
    "connect": "CONNECT",
    "booted": [("+KSREP", "+KSUP: 0")],
    "sim_gone": [("+KSIMDET", "+SIM: 0")],
    "sim_found": [("+KSIMDET", "+SIM: 1")],
    "sim_ready": [],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+KCNX_IND: %(cid)d,0,0"],
    "datagram_waiting": ["+KUDP_DATA: %(number)d,%(length)d"],
    "socket_closed": ["+KUDP_NOTIF: %(number)d,0"],
    # Real ones: boot 10000, attach up to minutes.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
