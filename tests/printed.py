"""Tables as they are printed, read back."""


def tables(text):
    """Every table of the text, a list of rows, each a dict from column to what stands there."""
    found, names = [], []
    for line in text.splitlines():
        if line.startswith("┃"):
            names = [name.strip() for name in line.strip("┃").split("┃")]
            found.append([])
        elif line.startswith("│"):
            values = [value.strip() for value in line.strip("│").split("│")]
            found[-1].append(dict(zip(names, values, strict=True)))
    return found
