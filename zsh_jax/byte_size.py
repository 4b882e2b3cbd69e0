"""Sizes of memory and files as text."""

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def byte_size(count: float) -> str:
    """A number of bytes with three digits and a unit, as in "37.2 MiB"."""
    size, power = float(count), 0
    while size >= 999.5 and power < len(UNITS) - 1:
        size /= 1024
        power += 1
    if power == 0 or size >= 99.95:
        return f"{size:.0f} {UNITS[power]}"
    return f"{size:.1f} {UNITS[power]}" if size >= 9.995 else f"{size:.2f} {UNITS[power]}"
