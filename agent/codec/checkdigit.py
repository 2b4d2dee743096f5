"""The last digit of an IMEI or ICCID, which guards the others against slips of a hand (ISO/IEC 7812-1 annex B)."""


def luhn(digits):
    """The check digit for `digits` (ISO/IEC 7812-1 annex B); a complete number is right when its last digit is it."""
    total, twice = 0, True
    for char in reversed(digits):
        value = int(char) * (1 + twice)
        total += value - 9 * (value > 9)
        twice = not twice
    return str(-total % 10)
