"""Long passages into pieces at the ends of sentences, each repeating the end of the one before. Nothing is lost.

The splitting is semantic-text-splitter's: at the largest of paragraph, sentence, word, character that fits. Left out:
which passages are too long (own_passages.py).

>>> [p.doc_id for p in split_passage(Passage("p0001", "One is here. Two is here. Three is."), 20, 0)]
['p0001.1', 'p0001.2', 'p0001.3']
"""

from __future__ import annotations

from dataclasses import replace

from rerank_core.limits import SPLIT_CHARS, SPLIT_OVERLAP
from rerank_core.records import Passage


def split_text(text: str, most: int = SPLIT_CHARS, overlap: int = SPLIT_OVERLAP) -> list[str]:
    """Pieces of 1 to `most` characters that together hold everything but white space between them.

    A piece begins with up to `overlap` characters (whole sentences or words) of the end of the one before.
    """
    from semantic_text_splitter import (
        TextSplitter,
    )  # a compiled module: nobody pays who splits nothing

    return TextSplitter(most, overlap=overlap).chunks(text)


def split_passage(
    passage: Passage, most: int = SPLIT_CHARS, overlap: int = SPLIT_OVERLAP
) -> list[Passage]:
    """A passage's pieces, with ids .1, .2, ... and all else as it was."""
    pieces = split_text(passage.text, most, overlap)
    return [
        replace(passage, doc_id=f"{passage.doc_id}.{i}", text=piece)
        for i, piece in enumerate(pieces, 1)
    ]
