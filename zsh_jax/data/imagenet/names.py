"""Class names of ImageNet: from TFDS synsets to words."""

from collections.abc import Sequence
from pathlib import Path

from zsh_jax.errors import InputError

WORDS = Path(__file__).with_name("words.txt")


def class_names(synsets: Sequence[str]) -> tuple[str, ...]:
    """A unique name for each synset that word vectors are likely to contain.

    Each synset takes the first of its words that no other synset has taken; synsets with the fewest words choose first.
    So the garment is `cardigan`, its only word, and the dog is `Cardigan Welsh corgi`. Two classes have only the word
    `crane`: the machine gets its synset appended, and has no word vector.

    Args:
        synsets: such as `n01440764`.

    Returns:
        One name for each; names differ in more than case.

    Raises:
        InputError: an entry is not a synset of ILSVRC2012.
    """
    words = {synset: spelt.split(", ") for synset, spelt in _table()}
    unknown = [synset for synset in synsets if synset not in words]
    if unknown:
        raise InputError(
            f"{len(unknown)} of {len(synsets)} classes are not synsets of ILSVRC2012 (first: {unknown[0]}); fix: use "
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
