"""Why a network refuses: the numbers of TS 24.301 (annex A: attach; 9.9.4.4: contexts) with their texts."""

ATTACH = {
    2: "IMSI unknown in HSS", 3: "Illegal UE", 5: "IMEI not accepted", 6: "Illegal ME",
    7: "EPS services not allowed", 8: "EPS services and non-EPS services not allowed", 11: "PLMN not allowed",
    12: "Tracking area not allowed", 13: "Roaming not allowed in this tracking area",
    14: "EPS services not allowed in this PLMN", 15: "No suitable cells in tracking area", 17: "Network failure",
    22: "Congestion", 25: "Not authorized for this CSG",
}  # fmt: skip
# After these a modem takes its SIM for invalid and tries no more until it or its radio is switched off (5.5.1.2.5).
PERMANENT = (3, 6, 7, 8)
SUSPENDED = 8  # what a network says to a subscription that is suspended

CONTEXT = {
    8: "Operator determined barring", 26: "Insufficient resources", 27: "Missing or unknown APN",
    28: "Unknown PDN type", 29: "User authentication failed", 30: "Request rejected by Serving GW or PDN GW",
    31: "Request rejected, unspecified", 32: "Service option not supported",
    33: "Requested service option not subscribed", 34: "Service option temporarily out of order",
    38: "Network failure", 55: "Multiple PDN connections for a given APN not allowed",
}  # fmt: skip
