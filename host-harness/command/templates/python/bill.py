"""Writes the bill of materials, as CycloneDX: what is installed beside the interpreter.

`componentize-py` is listed because it brings along the interpreter, CPython, and its library.
"""

import json
import sys
from importlib import metadata

# The toolchain of the environment, which is not in the component.
NOT_LINKED = {"pip", "setuptools", "wheel"}


def main(version):
    """The version is that of the connector."""
    found = {each.metadata["Name"]: each.version for each in metadata.distributions()}
    linked = [
        {
            "type": "library",
            "name": name,
            "version": found[name],
            "purl": f"pkg:pypi/{name}@{found[name]}",
        }
        for name in sorted(set(found) - NOT_LINKED)
    ]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "metadata": {"component": {"type": "library", "name": "{{ID}}", "version": version}},
        "components": linked,
    }
    print(json.dumps(bill, indent=2))


if __name__ == "__main__":
    main(sys.argv[1])
