"""The texts that encoders embed for class names."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from zsh_jax.data.nearest import nearest_names
from zsh_jax.errors import InputError

NO_SYNONYMS: Mapping[str, str] = MappingProxyType({})


def phrases_of(class_names: Sequence[str], prompt: str, synonyms: Mapping[str, str]) -> list[str]:
    """The text to embed for each class.

    Args:
        class_names: the names; underscores become spaces.
        prompt: text in which `{}` stands for the class name.
        synonyms: words to embed in place of a class name.

    Returns:
        One text a class.

    Raises:
        InputError: the prompt has no `{}`, or a synonym names an unknown class.
    """
    if prompt.count("{}") != 1:
        raise InputError(f"semantics.prompt needs one {{}} where the class name goes; got {prompt!r}")
    for name in synonyms:
        if name not in class_names:
            raise InputError(
                f"semantics.synonyms: there is no class {name!r}; {nearest_names(name, class_names)}"
            )
    return [prompt.replace("{}", synonyms.get(name, name).replace("_", " ")) for name in class_names]
