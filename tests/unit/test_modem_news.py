"""What a modem says by itself about its SIM, its network and its contexts, in whatever words."""

from modem_script import Script, connected

from agent.modems import generic, news


def test_lines_that_no_family_knows():
    for line, event in (
        ("+CGEV: NW PDN DEACT 1", ("context", None)), ("+CGEV: ME PDN DEACT 0", ("context", None)),
        ('+CGEV: NW DEACT "IP","10.0.0.1",1', ("context", None)), ("+CGEV: NW PDN DEACT 5", ("doubt",)),
        ("+CGEV: NW DETACH", ("doubt",)), ("+CGEV: ME DETACH", ("doubt",)), ("+CGEV: ME PDN ACT 1", None),
        ("+CGEV: nonsense", None), ("+SIM: Inserted", ("sim", True)), ("+SIM DROP", ("sim", False)),
        ("+ZUSIMR: 1", ("sim", True)), ("#QSS: 0", ("sim", False)), ("^SCKS: 1", ("sim", True)),
        ("^SIMST: 255", ("sim", False)), ("+SIMCARD: NOT AVAILABLE", ("sim", False)),
        ("+PDP: DEACT", ("context", None)),
        ('^NDISSTAT: 0,,,"IPV4"', ("context", None)), ('^NDISSTAT: 1,,,"IPV4"', None),
        ("+APP PDP: 0,DEACTIVE", ("context", None)), ("+APP PDP: 3,DEACTIVE", None), ("RDY", ("boot",)),
        ("^RSSI: 12", None), ("DST: 1", None), ("SMS DONE", None), ("", None),
    ):  # fmt: skip
        assert generic.event(line) == event, line


def test_noise_loads_nothing():
    calls = []
    real, news.event = news.event, calls.append
    try:
        for line in ("^RSSI: 12", "*PSUTTZ: 2026,3,1", "+CTZV: 4", "PB DONE", "+CREG: 1", '^HCSQ: "LTE",30'):
            generic.event(line)
    finally:
        news.event = real
    assert calls == []


def test_another_context_that_goes_is_not_ours_but_looked_into():
    script = connected()
    script.run(5000)
    asked = script.count["AT+QIACT?"]
    script.urc("+CGEV: NW PDN DEACT 5")
    script.run(0)
    assert script.modem.state == "connected" and script.count["AT+QIACT?"] == asked + 1
    script.active, script.open = False, {}
    script.urc("+CGEV: NW DETACH")
    script.run(0)
    assert "registered" in script.states[-1:] and script.modem.reason == "context lost"
    script.run(5000)
    assert script.modem.state == "connected"


def test_another_sim_is_noticed_though_nobody_missed_the_first():
    """S1: another SIM is another identity, and the agent is told."""
    script = connected()
    script.run(5000)
    told = []
    script.modem._out.append(("x",))
    script.urc("+QUSIM: 1")  # the same one: nothing happens
    script.run(5000)
    assert script.modem.state == "connected" and script.states.count("connected") == 1
    script.answers["AT+QCCID"] = "+QCCID: 8949022021109999999F"
    script.answers["AT+CIMI"] = "262029999999999"
    real = script.modem.take
    script.modem.take = lambda: [item for item in real() if not told.append(item[0])]
    script.urc("+QUSIM: 1")
    script.run(5000)
    assert script.modem.state == "connected" and script.states.count("connected") == 2
    assert script.modem.identity["iccid"] == "8949022021109999999" and "identity" in told
    assert script.modem.identity["imsi"] == "262029999999999"


def test_a_removed_sim_is_noticed_in_any_makers_words():
    for gone, back in (("+SIM DROP", "+SIM READY"), ("+ZUSIMR: 0", "+ZUSIMR: 1"), ("^SIMST: 255", "^SIMST: 1")):
        script = connected()
        script.answers["AT+CPIN?"] = "+CME ERROR: 10"
        script.urc(gone)
        assert script.modem.state == "failed" and script.modem.reason == "no SIM", gone
        script.answers["AT+CPIN?"] = "+CPIN: READY"
        script.urc(back)
        script.run(3000)
        assert script.modem.state == "connected", back


def test_why_the_network_does_not_want_us():
    for answer, reason in (
        ("+CEREG: 3,3,,,,0,8", "denied: cause 8, GPRS services and non-GPRS services not allowed"),
        ("+CEREG: 3,3,,,,0,99", "denied: cause 99, not known"), ("+CEREG: 3,3,,,,1,8", "denied"),
        ("+CEREG: 3,3", "denied"), ("+CME ERROR: 3", "denied"), ("+CEREG: x", "denied"),
    ):  # fmt: skip
        script = Script()
        script.answers["AT+CEREG?"] = "+CEREG: 1,3"
        script.modem.target("registered", 0)
        script.run(1000)
        real = script.reply

        def reply(command, script=script, real=real, answer=answer):
            if command == "AT+CEREG=3":
                script.answers["AT+CEREG?"] = answer
            if command == "AT+CEREG=1":
                script.answers["AT+CEREG?"] = "+CEREG: 1,3"
            real(command)

        script.reply = reply
        script.modem.reason = ""  # as if it had just been denied
        script.run(5000)
        assert script.modem.state == "searching" and script.modem.reason == reason, script.modem.reason
        assert script.count["AT+CEREG=1"] == script.count["AT+CEREG=3"] + 1
