"""Nordic nRF9160, LTE-M and NB-IoT, Serial LTE Modem of SDK 3.1
(texts as such a module gives them; identities are from test ranges)."""

from .. import sockets_nordic

PROFILE = {
    "about": "Nordic nRF9160, LTE-M and NB-IoT, Serial LTE Modem of SDK 3.1, sockets by AT#XSOCKET",
    "identity": {
        "manufacturer": "Nordic Semiconductor ASA",
        "model": "nRF9160-SICA",
        "revision": "mfw_nrf9160_1.3.7",
        "imei": "352656100000015",
        "imsi": "001010123456713",
        "iccid": "8988211000000000713",
    },
    "commands": sockets_nordic.known(sockets_nordic.OLD),
    "session": sockets_nordic.SESSION,
    "context": 0,
    "lacks": ("D", "O", "H", "+CGDATA", "+CMUX", "+CMGF", "+CPMS", "+CMGR", "+CMGL", "+CMGD", "+CSMS"),
    "acknowledges": True,
    "attached": True,
    "booted": ["Ready"],
    "sim_ready": [("%XSIM", "%XSIM: 1")],
    "sim_gone": [("%XSIM", "%%XSIM: 0")],
    "context_lost": [("+CGEREP", "+CGEV: ME PDN DEACT %(cid)d")],
    "datagram_waiting": sockets_nordic.arrived,
    "socket_closed": ["#XAPOLL: %(number)d,32"],
    # Real ones: attach 2600 and more, minutes for the first.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
