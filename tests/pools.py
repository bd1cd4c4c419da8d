"""Pools and cases out of nothing, for property tests: few distinct scores, so that there are ties."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from rerank_core.evaluate import Case
from rerank_core.pool import Pool
from rerank_core.records import Passage, Ranking
from rerank_core.scenarios import Library, Query, Scenario

few = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 1.0])
any_size = st.integers(1, 12)


@st.composite
def pools(draw, size=any_size) -> Pool:
    """Up to 12 candidates, up to 4 beyond, judgements that know one that the corpus lacks; some are relevant."""
    names = draw(st.permutations([f"d{i:02d}" for i in range(draw(size))]))
    ranking = Ranking.from_scores([Passage(x, x) for x in names], [draw(few) / 4 for _ in names])
    beyond = tuple(f"x{i}" for i in range(draw(st.integers(0, 4))))
    ids = [*names, *beyond, "elsewhere"]
    grades = draw(st.dictionaries(st.sampled_from(ids), st.integers(0, 3)))
    return Pool(
        "q",
        ranking.doc_ids,
        tuple(row.score for row in ranking),
        tuple(draw(few) for _ in names),
        beyond,
        grades | {draw(st.sampled_from(ids)): draw(st.sampled_from([2, 3]))},
    )


@st.composite
def cases(draw, most_scenarios: int = 8) -> list[Case]:
    """Up to 16 queries of some scenarios and two slices, pools of 4 to 8 candidates."""
    return [
        Case(
            f"q-{i}",
            f"s-{draw(st.integers(1, most_scenarios))}",
            draw(st.sampled_from(["aspect", "negation"])),
            draw(pools(size=st.integers(4, 8))),
            draw(st.booleans()),
        )
        for i in range(draw(st.integers(1, 16)))
    ]


def some_library(
    scenarios: int = 6, queries: int = 3, passages: int = 25, seed: int = 0
) -> Library:
    """Scenarios of random words with random judgements, over the whole library's passages; one query has none."""
    rng = random.Random(seed)
    vocabulary = [f"word{i}" for i in range(40)]
    made = [
        [
            Passage(f"p{s}-{i:02d}", " ".join(rng.choices(vocabulary, k=rng.randint(3, 12))))
            for i in range(passages)
        ]
        for s in range(scenarios)
    ]
    ids = [p.doc_id for own in made for p in own]

    def query(s: int, q: int) -> Query:
        judged = (
            {}
            if s == q == 0
            else {d: rng.randint(0, 3) for d in rng.sample(ids, min(40, len(ids)))}
        )
        return Query(
            f"s{s}-{q}",
            " ".join(rng.choices(vocabulary, k=3)),
            ["aspect", "negation", "quantity"][q % 3],
            "Which?",
            "known" if q == 2 and s < 2 else None,
            judged,
        )

    return Library(
        tuple(
            Scenario(
                f"s{s}", f"S{s}", "aspect", "note", "lesson",
                tuple(query(s, q) for q in range(queries)), tuple(own),
            )
            for s, own in enumerate(made)
        )
    )  # fmt: skip
