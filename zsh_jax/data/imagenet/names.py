"""From the synsets that TFDS has for classes of ImageNet to words."""

from collections.abc import Sequence
from pathlib import Path

from zsh_jax.errors import InputError

WORDS = Path(__file__).with_name("words.txt")


def class_names(synsets: Sequence[str]) -> tuple[str, ...]:
    """A name for each synset, by which word vectors may know it, and which no other one has.

    That is its first word which is not another's name already; those of the fewest words are named first, so that the
    garment is the `cardigan`, which has no other word, and the dog the `Cardigan Welsh corgi`. Two classes are called
    `crane` and nothing else: the machine has its synset behind it, which no word vector knows.

    Args:
        synsets: such as `n01440764`.

    Returns:
        One name for each, unlike each other also where the case of letters is left out.

    Raises:
        InputError: one is no synset of ILSVRC2012.
    """
    words = {synset: spelt.split(", ") for synset, spelt in _table()}
    unknown = [synset for synset in synsets if synset not in words]
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(synsets)} classes are no synsets of ILSVRC2012 (first: {unknown[0]}); use "
            "imagenet2012 or imagenet_resized of TFDS"
        )
    names: dict[str, str] = {}
    taken: set[str] = set()
    for synset in sorted(words, key=lambda synset: len(words[synset])):
        free = (word for word in words[synset] if word.casefold() not in taken)
        names[synset] = next(free, f"{words[synset][0]} {synset}")
        taken.add(names[synset].casefold())
    return tuple(names[synset] for synset in synsets)


def _table() -> list[tuple[str, str]]:
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return [(synset, words) for synset, words in (line.split("\t") for line in lines)]
