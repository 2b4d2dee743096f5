"""Who a modem is: names with and without prefixes and labels, serial numbers, ATI, +CFUN."""

from agent.codec import at_ident, checkdigit
from agent.errors import RemoteError


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_names():
    for line, want in (
        ("Quectel", "Quectel"),
        ('+CGMI: "u-blox"', "u-blox"),
        ("+CGMM: SIMCOM_SIM7600E", "SIMCOM_SIM7600E"),
        ("Revision: LE20B04SIM7600G22", "LE20B04SIM7600G22"),
        ("+CGMR: L0.0.00.00.05.06,A.02.00", "L0.0.00.00.05.06,A.02.00"),
        ("Manufacturer: SIMCOM INCORPORATED", "SIMCOM INCORPORATED"),
        (" MULTIBAND  900E  1800 ", "MULTIBAND  900E  1800"),
        ("x" * 300, "x" * 64),
    ):
        assert at_ident.name(line) == want, line


def test_serial_numbers():
    for lines in (["490154203237518"], ['+CGSN: "490154203237518"'], ["IMEI: 490154203237518"],
                  ["AT+CGSN", "4901542032375180"], ["+GSN:490154203237518"], ["49-015420-323751-8"]):  # fmt: skip
        assert at_ident.serial(lines) == "490154203237518", lines
    assert refused(at_ident.serial, []) and refused(at_ident.serial, ["ERROR", "12345"])


def test_check_digits():
    """ISO/IEC 7812-1 annex B."""
    for digits, last in (("7992739871", "3"), ("49015420323751", "8"), ("", "0")):
        assert checkdigit.luhn(digits) == last


def test_information():
    for lines, want in (
        (["Quectel", "EC25", "Revision: EC25EFAR06A01M4G"],
         {"manufacturer": "Quectel", "model": "EC25", "revision": "EC25EFAR06A01M4G", "other": []}),
        (["Manufacturer: SIMCOM INCORPORATED", "Model: A7670E-LASE", "Revision: A7670M7_V1.11.1",
          "IMEI: 490154203237518", "+GCAP: +CGSM,+FCLASS,+DS"],
         {"manufacturer": "SIMCOM INCORPORATED", "model": "A7670E-LASE", "revision": "A7670M7_V1.11.1",
          "imei": "490154203237518", "other": ["+GCAP: +CGSM,+FCLASS,+DS"]}),
        (["Cinterion", "PLS62-W", "REVISION 02.000"],
         {"manufacturer": "Cinterion", "model": "PLS62-W", "revision": "02.000", "other": []}),
        (["SARA-R410M-02B-00"], {"model": "SARA-R410M-02B-00", "other": []}),
        (["SIM7080G R1951.01"], {"model": "SIM7080G R1951.01", "other": []}),
        ([], {"other": []}),
    ):  # fmt: skip
        assert at_ident.information(lines) == want, (lines, at_ident.information(lines))


def test_radio():
    for line, level in (("+CFUN: 1", 1), ("+CFUN:0,0", 0), ("+CFUN: 19,0", 19), ("+CFUN: 04", 4)):
        assert at_ident.functionality(line) == level
    assert refused(at_ident.functionality, "+CFUN:") and refused(at_ident.functionality, "+CFUN: 256")
    assert [at_ident.radio(level, "5 6") for level in (0, 1, 4, 5, 7)] == ["off", "on", "low", "on", "low"]
