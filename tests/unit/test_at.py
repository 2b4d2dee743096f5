"""AT lines: any chunking, real firmwares' variations, and hostile bytes."""

from agent.codec import at, at_finals
from agent.errors import RemoteError

COUNTED = {"+QIRD": 0, "+XRECV": 2}


def read(data, step=None, counted=COUNTED, prompt=False):
    """Feed bytes in pieces of `step`; return the tokens and the reader."""
    reader, tokens = at.Reader(counted), []
    reader.prompt = prompt
    for start in range(0, len(data), step or len(data)):
        tokens += reader.feed(data[start:start + (step or len(data))])
    return tokens, reader


def refused(function, *args):
    """The RemoteError's text, or "" when none was raised."""
    try:
        function(*args)
    except RemoteError as error:
        return str(error)
    return ""


def test_every_chunking_gives_the_same_tokens():
    data = b"\0\0AT+QIRD=0,1500\r\r\n+QIRD: 6\r\n\r\nOK\r\n\r\n\r\nOK\r\n+CREG: 2\r\n"
    whole = ["AT+QIRD=0,1500", "+QIRD: 6", b"\r\nOK\r\n", "OK", "+CREG: 2"]
    data += b'+XRECV: "recv",1,3\r\nA\n\0\r\nNO CARRIER\r\n'
    whole += ['+XRECV: "recv",1,3', b"A\n\0", "NO CARRIER"]
    for step in range(1, len(data) + 1):
        tokens, reader = read(data, step)
        assert tokens == whole, (step, tokens)
        assert reader.dropped == 0


def test_a_payload_may_begin_with_line_ends():
    for payload in (b"\n\n\n", b"\r\r\r", b"\r\nx"):
        for step in (1, 2, 3, 99):
            assert read(b"\r\n+QIRD: 3\r\n" + payload + b"\r\n\r\nOK\r\n", step)[0][1:] == [payload, "OK"]


def test_an_extra_cr_before_a_payload_is_not_payload():
    assert read(b"+QIRD: 2\r\r\nab\r\nOK\r\n")[0] == ["+QIRD: 2", b"ab", "OK"]


def test_nothing_counted_without_a_usable_length():
    assert read(b"+QIRD: 0\r\n\r\nOK\r\n")[0] == ["+QIRD: 0", "OK"]
    assert read(b'+XRECV: "recv",0\r\nOK\r\n')[0] == ['+XRECV: "recv",0', "OK"]
    assert read(b"+QIRD: x\r\nOK\r\n")[0] == ["+QIRD: x", "OK"]
    tokens, reader = read(b"+QIRD: 70000\r\nOK\r\n")
    assert tokens == ["+QIRD: 70000", "OK"] and reader.dropped == 1


def test_line_ends_echo_and_noise():
    assert read(b"AT\rOK\r")[0] == ["AT", "OK"]
    assert read(b"AT\r\r\r\nOK\r\n")[0] == ["AT", "OK"]
    assert read(b"NO CARRIER\r\n")[0] == ["NO CARRIER"]
    assert read(b"\xff\xfe\x80RDY\x00\r\n")[0] == ["RDY"]
    assert read(b"\0\0\0\0")[0] == []


def test_a_line_without_end_is_dropped_and_counted():
    reader = at.Reader()
    for _ in range(100):
        assert reader.feed(b"x" * 100) == []
        assert len(reader._line) <= 1600
    assert reader.feed(b"\r\nOK\r\n") == ["OK"]
    assert reader.dropped == 1


def test_the_prompt_is_one_only_when_it_is_due():
    for step in (1, 2, 9):
        tokens, reader = read(b"\r\n> ", step, prompt=True)
        assert tokens == [at.PROMPT] and not reader.prompt
        assert reader.feed(b"\r\nSEND OK\r\n") == ["SEND OK"]
    assert read(b"\r\n> quoted mail\r\n", 1)[0] == ["> quoted mail"]
    assert read(b"+CREG: 1\r\n> \r\nSEND OK\r\n", 1, prompt=True)[0] == ["+CREG: 1", at.PROMPT, "SEND OK"]


def test_reset_forgets_a_payload_that_never_comes():
    tokens, reader = read(b"+QIRD: 100\r\nshort")
    assert tokens == ["+QIRD: 100"]
    reader.reset()
    assert reader.feed(b"\r\nOK\r\n") == ["OK"]


def test_any_bytes_at_all_give_tokens_and_no_exception():
    state = 1
    reader = at.Reader(COUNTED)
    pieces = (b"+QIRD: ", b"+CREG: ", b"\r\n", b">", b"9", b"\0", b'"', b",", b"\xff", b"OK", b"+XRECV: ", b'"recv"')
    for _ in range(3000):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        reader.prompt = bool(state & 64)
        for token in reader.feed(pieces[(state >> 16) % len(pieces)]):
            if isinstance(token, str):
                at.final(token), at.cause(token), at.fields(token)
                for parser in (at.registration, at.sim, at.signal, at.iccid, at.imsi, at.imei, at.text):
                    refused(parser, token)


def test_finals():
    for line in ("OK", "SEND OK", "CONNECT", "CONNECT 115200"):
        assert at.final(line) is True
    for line in ("ERROR", "NO CARRIER", "SEND FAIL", "BUSY"):
        assert at.final(line) is False
    for line in ("+CME ERROR: 10", "+CME ERROR:", "+CME ERROR", "+CMS ERROR: 500"):
        assert at.final(line) is False
    for line in ("OKAY", "+COPS: OK", "+CREG: 1", "CONNECTED", "SHUT OK", "MODEM ERROR: why", ""):
        assert at.final(line) is None, line
    assert at.final("COMMAND NOT SUPPORT") is at.final("MODEM ERROR: 7") is False


def test_finals_of_a_family():
    assert at.final("OUT OF ORDER", "\nOUT OF ORDER\n") is False
    assert at.final("CONNECT FAIL", "\nCONNECT FAIL\n") is False
    assert at.final("+CIPERROR: 4", "\n+CIPERROR:\n") is False
    for line in ("SHUT OK", "DATA ACCEPT:1,5"):
        assert at.final(line, "", "\nSHUT OK\nDATA ACCEPT:\n") is True
    assert at.final("SHUT", "", "\nSHUT OK\n") is None
    good, bad = at_finals.of("simcom")
    assert at.final("CLOSE OK", bad, good) is at.final("NORMAL POWER DOWN", bad, good) is True
    assert at.final("+CIPERROR: 2", bad, good) is at.final("NO PROMPTTONE", bad, good) is False
    good, bad = at_finals.of("nobody has heard of it")
    assert good == "\n" and at.final("BLACKLISTED", bad, good) is False


def test_a_final_result_may_be_followed_by_others_in_one_read():
    tokens, _ = read(b"\r\nOK\r\n\r\n+CMTI: \"SM\",3\r\n\r\n+CEREG: 1\r\n")
    assert [at.final(token) for token in tokens] == [True, None, None]
    tokens, _ = read(b"\nNO CARRIER\r\r\n\r\nRING\r\n")
    assert [at.final(token) for token in tokens] == [False, None]


def test_echo_and_noise_before_the_first_line_end():
    for data, want in (
        (b"AT+CSQ\r\r\n+CSQ: 9,99\r\n", b"\r\n+CSQ: 9,99\r\n"),
        (b"\0\xffAT\r\nOK\r\n", b"\r\nOK\r\n"),
        (b"\r\nOK\r\n", b"\r\nOK\r\n"),
        (b"\nCONNECT\r\n", b"\nCONNECT\r\n"),
        (b"AT+CSQ\r", b"AT+CSQ\r"),
        (b"", b""),
    ):
        assert at_finals.without_echo(data) == want, data


def test_causes():
    assert at.cause("+CME ERROR: 10") == 10
    assert at.cause("+CME ERROR: 010") == 10
    assert at.cause("+CME ERROR: SIM not inserted") == 10
    assert at.cause("+CME ERROR:SIM busy") == 14
    assert at.cause("+CME ERROR: Operation Not Allowed") == 3
    assert at.cause("+CME ERROR: the vendor's own") == "the vendor's own"
    assert at.cause("+CME ERROR:") == ""
    assert at.cause("+CMS ERROR: 310") == "+cms error 310"
    assert at.cause("NO CARRIER") == "no carrier"


def test_fields():
    assert at.fields('+QIURC: "recv",0,4') == ["recv", "0", "4"]
    assert at.fields('+COPS: 0,0,"a, b" , 7') == ["0", "0", "a, b", "7"]
    assert at.fields("+CREG:1") == ["1"]
    assert at.fields("+X:") == [""]
    assert at.fields("no prefix") == ["no prefix"]
    assert at.fields('+X: "unclosed,1') == ["unclosed,1"]


def test_numbers():
    assert at.number("007") == 7 and at.number("1A2b", 16) == 0x1A2B
    for bad in ("", "-1", "+1", "1_0", " 1", "1.0", "0x1", "9" * 21):
        assert at.number(bad) is None, bad


def test_prefixes():
    assert at.prefix("AT+CPIN?") == "+CPIN:"
    assert at.prefix("AT+QIRD=0,1500") == "+QIRD:"
    assert at.prefix("AT+COPS=?") == "+COPS:"
    assert at.prefix("AT^ICCID?") == "^ICCID:"
    assert at.prefix("ATI") == at.prefix("AT") == at.prefix("ATD*99#") == ""


def test_registration_in_the_ways_firmwares_write_it():
    for line, want in (
        ("+CREG: 1", (1, None, None, None)),
        ("+CREG:5", (5, None, None, None)),
        ("+CREG: 0,1", (1, None, None, None)),
        ("+CREG: 000,001", (1, None, None, None)),
        ("+CREG: 2,1,\"1A2B\",\"00C3D4E5\",7", (1, 0x1A2B, 0xC3D4E5, 7)),
        ("+CREG: 1,\"1A2B\",\"00C3D4E5\",7", (1, 0x1A2B, 0xC3D4E5, 7)),
        ("+CGREG: 1,1A2B,00C3D4E5,2", (1, 0x1A2B, 0xC3D4E5, 2)),
        ("+CGREG: 2,1,1A2B,00C3D4E5,2,01", (1, 0x1A2B, 0xC3D4E5, 2)),
        ("+CREG: 1,0001,0002", (1, 1, 2, None)),
        ("+CEREG: 2,5,\"\",\"\",", (5, None, None, None)),
        ("+CEREG: 2,,", (2, None, None, None)),
        ("+CEREG:  2 , 05 ,\"00a1\" , \"1\" , 7", (5, 0xA1, 1, 7)),
        ("+CEREG: 2,11", (11, None, None, None)),
        ("+CEREG: 3,3,,,,0,15", (3, None, None, None)),
        ("+CEREG: 10,\"XYZ\",\"12\",7", (10, None, 0x12, 7)),
    ):
        assert at.registration(line) == want, (line, at.registration(line))
    for bad in ("+CREG:", "+CREG: ,", "+CREG: 12", "+CREG: x", '+CREG: "1"', "+CREG: -1"):
        assert refused(at.registration, bad), bad


def test_registration_of_odd_firmwares():
    for line, read, want in (
        # Iridium: leading zeros in n and state, quoted areas
        ('+CREG:001,0005,"7a1c","00ff"', None, (5, 0x7A1C, 0xFF, None)),
        # Novatel, early LTE: a routing area of two digits between area and cell
        ("+CEREG: 1,5, 2B00, 10 ,6A21F4 ,7", None, (5, 0x2B00, 0x6A21F4, 7)),
        ("+CEREG: 11, 2B00, 10 ,6A21F4 ,7", None, (11, 0x2B00, 0x6A21F4, 7)),
        # Samsung: n in unsolicited lines, and two fields more
        ("+CREG: 2,5,001C,31F7, A, D31F7", False, (5, 0x1C, 0x31F7, None)),
        # Gobi: a blank inside a number
        ("+CREG: 2,1,  1 5, 1F31", True, (1, None, 0x1F31, None)),
        # a quote that never closes
        ('+CREG: 2,1,"0C,"0200801",7', True, (1, 0xC, 0x200801, 7)),
        ('+CREG: 2,1,"5D11', True, (1, 0x5D11, None, None)),
        # Huawei: no leading zeros, a lone zero as area
        ("+CREG: 2,0,00,0", True, (0, 0, 0, None)),
        ("+CREG: 0,0,0", False, (0, 0, 0, None)),
        ("+CEREG: 5,1,7,7", False, (5, 1, 7, 7)),
        # 5G: slices behind the technology
        ("+C5GREG: 2,1,0A00,5C11,11,4,01020304", True, (1, 0xA00, 0x5C11, 11)),
    ):
        assert at.registration(line, read) == want, (line, at.registration(line, read))
    assert [state for state in range(12) if at.registered(state)] == [1, 5, 9, 10]


def test_only_a_pending_read_makes_a_registration_line_an_answer():
    assert at.answers("+CREG: 0,1", "AT+CREG?", "+CREG:", False)
    assert not at.answers("+CREG: 1", "AT+CREG?", "+CREG:", False)
    assert not at.answers('+CREG: 1,"1A2B","C3D4"', "AT+CREG?", "+CREG:", False)
    assert not at.answers("+CREG: 0,1", "AT+CREG?", "+CREG:", True)
    assert not at.answers("+CREG: 0,1", "AT+CREG=1", "+CREG:", False)
    assert not at.answers("+CEREG: 0,1", "AT+CREG?", "+CREG:", False)
    assert at.answers("+CSQ: 1,99", "AT+CSQ", "+CSQ:", False)
    assert not at.answers("anything", "ATI", "", False)


def test_sim_and_signal():
    assert at.sim("+CPIN: READY") == at.sim('+CPIN:"ready"') == "READY"
    assert at.sim("+CPIN: SIM PIN") == "SIM PIN"
    assert refused(at.sim, "+CPIN:")
    assert at.signal("+CSQ: 18,99") == -77
    assert at.signal("+CSQ: 031,0") == -51
    assert at.signal("+CSQ: 99,99") is None and at.signal("+CSQ: 199,99") is None
    assert at.signal("+CSQ: 125,99") == -91
    assert at.signal("+CESQ: 99,99,255,255,20,54") == -87 and at.signal("+CESQ: 30,99,255,255,255,255") is None
    assert at.signal("+CESQ: 99,99") is None
    assert refused(at.signal, "+CSQ:")


def test_iccid_in_every_form():
    """S1: the SIM's number is the same however the firmware writes it."""
    for line in (
        "+QCCID: 8949022021101234567F", "8949022021101234567", '+CCID: "8949022021101234567"',
        "+ICCID: 8949022021101234567f", "^ICCID: 989420021201214365F7",
        '+CRSM: 144,0,"989420021201214365F7"',
    ):
        assert at.iccid(line) == "8949022021101234567", line
    assert at.iccid("+QCCID: 89860025128306012474") == "89860025128306012474"
    for line in ("%XICCID: 8949022021101234567F", "!ICCID: 8949022021101234567", "ICCID:8949022021101234567",
                 '#CCID: "8949022021101234567"', "+CICCID: 8949022021101234567"):  # fmt: skip
        assert at.iccid(line) == "8949022021101234567", line
    assert at.iccid("+CCID: 898602B1234567890123") == "898602B1234567890123"  # a hexadecimal digit of the operator's
    for bad in ("+QCCID:", "+QCCID: 8949", "+QCCID: 1234567890123456789", "+QCCID: 89490220211012345GHI",
                "+QCCID: 894902202110123456789012", "ERROR"):
        assert refused(at.iccid, bad), bad


def test_imsi_and_imei():
    assert at.imsi("262021234567890") == at.imsi('+CIMI: "262021234567890"') == "262021234567890"
    assert refused(at.imsi, "12345") and refused(at.imsi, "2620212345678901") and refused(at.imsi, "26202x")
    assert at.imei("490154203237518") == at.imei("+CGSN: 4901542032375101") == at.imei("49015420323751")
    assert refused(at.imei, "4901542032375") and refused(at.imei, "")


def test_text_is_bounded():
    assert at.text('+CGMI: "Quectel"') == at.text("Quectel") == "Quectel"
    assert len(at.text("x" * 500)) == 64


def test_a_long_list_of_operators_is_one_line():
    entry = '(1,"00540065006C0065006B006F006D002E00640065","00540065006C0065006B002E0064","00320036003200300031",7),'
    line = "+COPS: " + entry * 13
    assert read(b"\r\n" + line.encode() + b"\r\n\r\nOK\r\n", 7)[0] == [line, "OK"]
