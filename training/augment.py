"""Queries as people type them: lower case, no question mark, keywords only, a typo. Passages stay.

Left out: any change that could change which passage is right (synonyms, dropped names or numbers).
"""

from __future__ import annotations

import random

STOP_WORDS = """
a an the is are was were do does did of to in on at for and or by with what which who whom whose
when where how can could should would will be been it its this that these those i my me you your
there any some from as have has had
"""
STOP = frozenset(STOP_WORDS.split())


def keywords(query: str) -> str:
    """Without stop words, where at least two words are left.

    >>> keywords("What is the capital of France?")
    'capital France'
    """
    kept = [word for word in query.rstrip("?").split() if word.lower() not in STOP]
    return " ".join(kept) if len(kept) >= 2 else query


def typo(query: str, rng: random.Random) -> str:
    """One slip (swap, drop, double or neighbour's letter) inside one word of five letters or more."""
    words = query.split()
    long_words = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long_words:
        return query
    i = rng.choice(long_words)
    word, at = words[i], rng.randrange(1, len(words[i]) - 1)
    words[i] = rng.choice((
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
    ))  # fmt: skip
    return " ".join(words)


NEGATING_WORDS = "not no never without nor except only before after than"
NEGATING = frozenset(NEGATING_WORDS.split())


def vary(query: str, rng: random.Random) -> str:
    """Half untouched; else lower case, no question mark, a typo, or keywords (never of a negation)."""
    draw = rng.random()
    if draw < 0.50:
        return query
    if draw < 0.65:
        return query.lower().rstrip("?").strip()
    if draw < 0.72:
        return query[:1].upper() + query[1:] + ("" if query.endswith("?") else "?")
    if draw < 0.92:
        return typo(query, rng)
    if NEGATING & set(query.lower().split()) or len(query.split()) < 5:
        return query
    return keywords(query)
