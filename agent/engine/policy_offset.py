"""When within the jitter of its group a device reports: the same after each restart, another for each version, and even
over all devices, so that a change for everybody does not make everybody report at once."""

from ..crypto.hashes import hmac


def offset(key, group, version, jitter):
    """0 to jitter - 1 (s), from a key of the device's own (bytes), the group (bytes) and the version; 0 for no jitter.
    """
    if not jitter:
        return 0
    mark = hmac(key, b"jitter" + group + version.to_bytes(4, "big"))
    return int.from_bytes(mark[:8], "big") % jitter
