"""Turns the TCP connections of a capture into flow scripts.

    smb_flows.py CAPTURE NAMES FOLDER

The n-th connection becomes FOLDER/<n-th line of NAMES>.flow. Lines of an existing script that say
what the parser must make of it are kept.
"""

import pathlib
import subprocess
import sys


def quoted(data: bytes) -> str:
    shown = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x00: "\\0"}
    return "".join(
        shown.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in data
    )


def segments(capture: str, stream: int) -> list[tuple[str, bytes]]:
    """Each with its mark, in the order of the capture. tshark puts the server's behind a tab."""
    command = ["tshark", "-r", capture, "-q", "-z", f"follow,tcp,raw,{stream}"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line for line in output.splitlines() if line and not line.startswith("=")]
    data = lines[lines.index(next(line for line in lines if line.startswith("Node 1"))) + 1 :]
    return [("<" if line.startswith("\t") else ">", bytes.fromhex(line.strip())) for line in data]


def main() -> None:
    capture, names, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    for stream, name in enumerate(names.read_text().split()):
        path = folder / f"{name}.flow"
        kept = []
        if path.exists():
            kept = [line for line in path.read_text().splitlines() if line[:1] in "=!"]
        lines = [
            f"# recorded by tests/record/smb.sh: {name}",
            f"client 127.0.0.1:{40001 + stream} server 127.0.0.1:445",
            *(f'{mark} "{quoted(data)}"' for mark, data in segments(capture, stream)),
            *kept,
        ]
        path.write_text("\n".join(lines) + "\n")


main()
