"""Content formats by their numbers (LwM2M 1.1 Core table 7.4-1)."""

TEXT, OPAQUE, CBOR, SENML_JSON, SENML_CBOR = 0, 42, 60, 110, 112
