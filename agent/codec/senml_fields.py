"""The fields of a SenML record (RFC 8428 table 4), by their numbers in CBOR; `vlo` (object link) is OMA's."""

BVER, BN, BT, BV = -1, -2, -3, -5
N, V, VS, VB, T, VD = 0, 2, 3, 4, 6, 8
VLO = "vlo"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"  # of names, and of base64url
