"""Huawei ME909s-120, LTE Cat 4 (texts as such a module gives them; identities are from test ranges)."""

from .. import basic_commands, network_huawei

PROFILE = {
    "about": "Huawei ME909s-120, LTE Cat 4, no sockets: USB network by AT^NDISDUP, or PPP",
    "identity": {
        "manufacturer": "Huawei Technologies Co., Ltd.",
        "model": "ME909s-120",
        "revision": "11.617.24.00.00",
        "imei": "867377020000018",
        "imsi": "001010123456712",
        "iccid": "8988211000000000712",
    },
    "commands": {**basic_commands.COMMANDS, **network_huawei.COMMANDS},
    "session": network_huawei.SESSION,
    "booted": ["^SYSSTART"],
    # What a real one says of itself every few seconds.
    "sim_ready": ["^SIMST: 1", "^SRVST: 2", "^MODE: 17,17", '^HCSQ: "LTE",46,42,121,20', "^RSSI: 22",
                  "^STIN: 0, 0, 0"],  # fmt: skip
    "sim_gone": ["^SIMST: 255"],
    "context_lost": [("+CGEREP", "+CGEV: NW PDN DEACT %(cid)d"), ("^NDISDUP", '^NDISSTAT: 0,,,"IPV4"')],
    # Real ones: boot 15000.
    "ms": {"boot": 200, "sim": 50, "attach": 300, "dial": 300, "open": 20},
}
