"""How many cases a test draws: fewer where each is dear, and as many times more in the long profile."""

from hypothesis import settings


def few_draws(count: int) -> settings:
    """`count` of the fifty cases of the usual profile, and the same share of a longer one."""
    return settings(max_examples=max(1, count * settings.default.max_examples // 50))
