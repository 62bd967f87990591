"""Where no file can be opened, as in the process that parses, every document is read as elsewhere."""
import json
import subprocess
import sys
from encodings.aliases import aliases
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMES = sorted({*aliases, *aliases.values(), "ISO-8859-15", "iso 8859 9", "KOI8-R", "TIS-620",
                "ks_c_5601-1987", "iso_8859_1.1987", "Windows-1251", "x-mac-roman", "utf-7",
                "iso-8859-8-i", "nonsense"})
READ = """
import json, sys
from devdigest import encoding
def read(name):
    claim = f"<?xml version='1.0' encoding='{name}'?>".encode()
    return encoding.decode(claim + bytes(range(256)), f"text/xml; charset={name}")[len(claim):]
"""
ALONE = """
from importlib.machinery import BuiltinImporter
encoding.load_codecs()
sys.meta_path[:] = [BuiltinImporter]
"""
SAY = "print(json.dumps([read(name) for name in json.load(sys.stdin)]))"


def said(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, input=json.dumps(NAMES), text=True,
                          capture_output=True, check=True)
    return json.loads(done.stdout)


def test_a_claimed_encoding_is_read_alike_by_its_table_alone() -> None:
    usual = said(READ + SAY)
    assert said(READ + ALONE + SAY) == usual
    assert len(set(usual)) > 30
