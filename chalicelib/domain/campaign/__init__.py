"""The campaign file: everything marketing may change, as validated, frozen values.

The models here are the schema of the YAML file (its JSON Schema is published from them) and what
every use case reads. They refuse unknown fields, references to templates that do not exist and
dates in the wrong order. Reading YAML and naming lines is done by the command line
(`cli.campaign_file`), storing versions by the repository. Nothing here does I/O.

file.py      the whole file            rules.py   what is issued when, and to whom
templates.py what a voucher is worth   lists.py   when a list is trusted, digest keys
fields.py    types of single fields    checks.py  what must hold between fields
versions.py  the file as it is stored, version by version
"""
