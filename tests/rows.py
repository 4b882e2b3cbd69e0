"""Results as they lie on disk, for tests that read, change and compare them."""

import hashlib
import json

TIMES = "seconds"
PROVENANCE = {"version", "commit", "jax", "jaxlib", "device", "date"}


def rows_of(path):
    """Every line of a file, which must be whole, strict JSON, and end in the checksum of what stands before it."""
    content = path.read_text()
    assert not content or content.endswith("\n")
    rows = []
    for line in content.splitlines():
        row = json.loads(line, parse_constant=_no_constant)
        start, _, _ = line.rpartition(', "checksum"')
        assert row.pop("checksum") == hashlib.sha256(start.encode()).hexdigest()[:16]
        rows.append(row)
    return rows


def outcome(row):
    """What does not depend on when and where a row was made."""
    return {key: value for key, value in row.items() if not key.endswith(TIMES) and key not in PROVENANCE}


def rewrite(path, change, *, checksums=True):
    """Change every row of a file; the checksums are right again, or, as older versions wrote them, not there."""
    lines = []
    for number, row in enumerate(rows_of(path)):
        start = json.dumps(change(number, row))[:-1]
        end = f', "checksum": "{hashlib.sha256(start.encode()).hexdigest()[:16]}"' if checksums else ""
        lines.append(f"{start}{end}}}\n")
    path.write_text("".join(lines))


def _no_constant(name):
    raise AssertionError(f"{name} is not JSON")
