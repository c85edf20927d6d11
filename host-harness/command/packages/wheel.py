"""Makes a wheel that carries the command: `wheel.py BINARY VERSION FOLDER`.

It needs nothing but Python, and the same binary gives the same bytes. The wheel has the command as
a script, and the module `smp_harness` with `members`, which is docs/hosts/host.py.
"""

import base64
import hashlib
import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
HOST = HERE / "../../../docs/hosts/host.py"
NAME = "smp_harness"
# Machines by the number in an ELF file.
MACHINES = {62: "x86_64", 183: "aarch64"}

# Where an installer puts scripts differs: beside an interpreter, a user's folder or a target.
COMMAND = '''def command_of_package():
    """The command that was installed with this module."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    folders = [
        # pip install --target DIR
        os.path.join(here, "bin"),
        # PREFIX/lib/pythonX.Y/site-packages, of a virtual environment, a user or `--prefix`.
        os.path.join(here, "..", "..", "..", "bin"),
        sysconfig.get_path("scripts"),
        sysconfig.get_path("scripts", f"{os.name}_user"),
    ]
    files = [os.path.join(folder, "smp-harness") for folder in folders]
    return next((file for file in files if os.access(file, os.X_OK)), "smp-harness")
'''


def platform(binary: bytes) -> str:
    """The tag of the oldest glibc that has every symbol of the binary."""
    machine = MACHINES[int.from_bytes(binary[18:20], "little")]
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", binary)]
    return f"manylinux_2_{max(versions, default=17)}_{machine}"


def main(binary, version, folder):
    binary = pathlib.Path(binary).read_bytes()
    tag = f"py3-none-{platform(binary)}"
    info = f"{NAME}-{version}.dist-info"
    metadata = (
        "Metadata-Version: 2.1\n"
        f"Name: smp-harness\nVersion: {version}\n"
        "Summary: Runs SaaS connector plugins, as a command and as an iterator of members\n"
        "License: Apache-2.0\nRequires-Python: >=3.8\n"
    )
    wheel = f"Wheel-Version: 1.0\nGenerator: smp-harness\nRoot-Is-Purelib: false\nTag: {tag}\n"
    # The command of the package, in place of one on the PATH.
    module = HOST.read_text("utf-8")
    for old, new in (
        ('os.environ.get("SMP_HARNESS") or "smp-harness"', 'os.environ.get("SMP_HARNESS") or command_of_package()'),
        ("\nimport sys\n", "\nimport sys\nimport sysconfig\n"),
        ("\n\nclass Failed", f"\n\n{COMMAND}\n\nclass Failed"),
    ):
        assert module.count(old) == 1, f"the host has changed: {old!r}"
        module = module.replace(old, new)
    files = {
        f"{NAME}/__init__.py": module.encode(),
        f"{NAME}-{version}.data/scripts/smp-harness": binary,
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": wheel.encode(),
        f"{info}/LICENSE": (HERE / "../../../LICENSE").read_bytes(),
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in files.items()
    )
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    path = pathlib.Path(folder) / f"{NAME}-{version}-{tag}.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            # A regular file, which is run if it may be.
            entry.external_attr = (0o100755 if "/scripts/" in name else 0o100644) << 16
            archive.writestr(entry, data)
    print(path)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
