"""SIMCom A7670E, LTE Cat 1 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, sockets_simcom

PROFILE = {
    "about": "SIMCom A7670E, LTE Cat 1, sockets by AT+CIPOPEN",
    "identity": {
        "manufacturer": "INCORPORATED",
        "model": "A7670E-FASE",
        "revision": "+CGMR: A011B06A7670M7_F",
        "imei": "860470060000013",
        "imsi": "001010123456702",
        "iccid": "8988211000000000702",
    },
    "commands": {**basic_commands.COMMANDS, **sockets_simcom.COMMANDS},
    "session": sockets_simcom.SESSION,
    "functionality": (0, 1, 4, 5, 7),
    "restarts": (6,),
    "net_state": "+NETOPEN: %d",
    "booted": ["*ATREADY: 1"],
    "sim_ready": ["+CPIN: READY", "SMS DONE", "PB DONE"],
    "sim_gone": ["+CPIN: SIM REMOVED"],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), "+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY"],
    "datagram_waiting": sockets_simcom.arrived,
    "socket_closed": ["+IPCLOSE: %(number)d,1"],
    # Real ones: boot 8000 to 20000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
