"""Every table of an object is what OMA's registry says of it: ids, operations, kinds, several instances, mandatory."""

from registry import FACTS

from agent.north import connectivity, objects_account, objects_device, objects_radio
from agent.north import objects_firmware as firmware
from agent.north import objects_gateway as gateway
from agent.north import objects_portfolio as portfolio
from agent.north import objects_sensors as sensors
from agent.table import rows


def registered():
    """{object: {resource: [operations, kind]}}"""
    found = {}
    for words in rows(FACTS):
        if words[0] == "object":
            found[int(words[1].strip("*"))] = resources = {}
        elif words[0] != "#":
            resources[int(words[0])] = words[1:]
    return found


def ours():
    """-> [(object, table)], the private ones left out."""
    found = [(3, objects_device.TABLE), (5, firmware.TABLE), (25, gateway.TABLE), (3305, sensors.MEASUREMENT)]
    found.append((16, portfolio.TABLE))
    found += [(oid, sensors.SENSOR) for oid in (3303, 3304, 3316, 3317, 3328, 3331)]
    for file in (objects_account, connectivity, objects_radio):
        found += [(oid, file.TABLES[oid]) for oid in sorted(file.TABLES) if oid < 26241]
    return found


def plain(operations):
    """Without the marks that are ours: ? may be taken away, L long."""
    return "".join([char for char in operations if char not in "?L!"])


def test_operations_kinds_and_numbers_of_instances():
    """S1, L2: what any server knows of these objects is true of ours."""
    facts = registered()
    for oid, table in ours():
        for rid, operations, kind in rows(table):
            there = facts[oid].get(int(rid))
            assert there, (oid, rid)
            assert [plain(operations), kind] == [plain(there[0]), there[1]], (oid, rid, operations, kind, there)


def test_what_is_mandatory_is_there_and_marked_where_a_server_may_write_it():
    facts = registered()
    for oid, table in ours():
        mine = {int(rid): operations for rid, operations, _ in rows(table)}
        for rid, (operations, _) in facts[oid].items():
            if "!" in operations:
                assert rid in mine, "/%d/x/%d is mandatory" % (oid, rid)
            if rid in mine and "W" in operations:
                assert ("!" in mine[rid]) == ("!" in operations), (oid, rid)


def test_rows_rise():
    """A registration, a read and a discover list resources in rising order."""
    for oid, table in ours():
        numbers = [int(words[0]) for words in rows(table)]
        assert numbers == sorted(numbers), oid
