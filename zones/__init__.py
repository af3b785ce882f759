"""What a zone is: names, RRsets, versions, edits, checks, zone files and the packed form.

Nothing here does I/O, reads a clock or knows SQL: bytes and values come in, values go out.
"""
