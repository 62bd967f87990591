"""Installs, upgrades and removes the appliance: what `sudo ./setup.sh` runs, with Python's own library.

May import of `devdigest` only what needs no package (settings, relays). What is on the disk is the old
state or the new one, never between: see files.py.
"""
