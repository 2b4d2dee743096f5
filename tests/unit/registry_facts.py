"""Makes registry.py, the facts of OMA's public registry of LwM2M objects that ours are compared with: ids, operations,
kinds, whether a resource has several instances and is mandatory. No text of the registry is kept.

    python tests/unit/registry_facts.py FOLDER > tests/unit/registry.py

FOLDER is a copy of the registry: 3303.xml and the like, and version_history/3303-1_0.xml for earlier versions.
"""

import pathlib
import sys
import xml.etree.ElementTree as tree

# The version that a registration of ours stands for: what LwM2M 1.1 says of its own objects, else 1.0, unless
# the agent announces another one.
VERSIONS = {0: "1_1", 1: "1_1", 3: "1_1", 4: "1_2", 21: "2_0", 25: "2_0"}
OBJECTS = (0, 1, 2, 3, 4, 5, 7, 10, 11, 12, 13, 16, 21, 25, 504, 3303, 3304, 3305, 3316, 3317, 3328, 3331)
KINDS = {"": "-", "String": "str", "Integer": "int", "Unsigned Integer": "int", "Float": "float", "Boolean": "bool",
         "Opaque": "opaque", "Time": "time", "Objlnk": "objlnk", "Corelnk": "str"}  # fmt: skip

HEAD = '''"""Facts of OMA's public registry of LwM2M objects, made by registry_facts.py: not to be changed by hand."""

# object version, and whether there may be several instances (*)
# resource operations kind; several instances (*), mandatory (!)
FACTS = """'''


def facts(folder, number):
    """-> the lines of one object."""
    version = VERSIONS.get(number, "1_0")
    path = folder / "version_history" / f"{number}-{version}.xml"
    found = tree.parse(path).getroot().find("Object")
    assert int(found.findtext("ObjectID")) == number, path
    several = "*" if found.findtext("MultipleInstances").strip() == "Multiple" else ""
    lines = [f"object {number}{several} {version.replace('_', '.')}"]
    for item in sorted(found.find("Resources"), key=lambda item: int(item.get("ID"))):
        marks = "*" if item.findtext("MultipleInstances").strip() == "Multiple" else ""
        marks += "!" if item.findtext("Mandatory").strip() == "Mandatory" else ""
        operations = (item.findtext("Operations") or "").strip() or "-"
        lines.append(f"{item.get('ID')} {operations}{marks} {KINDS[(item.findtext('Type') or '').strip()]}")
    return lines


if __name__ == "__main__":
    rows = [line for number in OBJECTS for line in facts(pathlib.Path(sys.argv[1]), number)]
    print(HEAD + "\n" + "\n".join(rows) + '\n"""')
