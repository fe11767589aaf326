"""Sessions in the order of what was found in them."""

from collections.abc import Sequence

from agentctx.records import Hit, SessionHit

# So many hits are looked at: fewer leave out sessions, more change nothing.
DEPTH = 200
# What the second best hit counts beside the best; docs/architecture.md has what else was tried.
_SECOND = 0.5
_SHOWN = 3


def by_session(hits: Sequence[Hit], limit: int) -> list[SessionHit]:
    """The sessions of hits, best first, at most ``limit``; hits of no session belong to none.

    A session is worth its best hit and half of its second best. The best session has the score of
    its best hit, and the others are in proportion.
    """
    found: dict[str, list[Hit]] = {}
    for hit in sorted(hits, key=lambda hit: -hit.score):
        if hit.session:
            found.setdefault(hit.session, []).append(hit)
    worth = {
        session: of[0].score + _SECOND * (of[1].score if len(of) > 1 else 0.0)
        for session, of in found.items()
    }
    # Sorting is stable: of equal ones, the one whose best hit came first.
    best = sorted(found, key=lambda session: -worth[session])[:limit]
    scale = found[best[0]][0].score / (worth[best[0]] or 1.0) if best else 0.0
    return [
        SessionHit(session, scale * worth[session], tuple(found[session][:_SHOWN]))
        for session in best
    ]
