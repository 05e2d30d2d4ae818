"""What a run marks: the values that findings span whose rules say that they are in doubt."""

from collections.abc import Sequence

from quintet.pipeline.commit import Pipeline
from quintet.pipeline.marks import Spans, mark
from quintet.store.engine import Engine, Writing
from quintet.store.marks import doubted_spans
from quintet.vee import Rules

from .vee_units import Unit, moment


def mark_units(
    engine: Engine, pipeline: Pipeline, rules: Rules, writing: Writing, group: Sequence[Unit], seen: int
) -> int:
    """Bring the marks of consecutive weeks in step with the findings that stand by now, as part of a batch.

    A finding may reach back over the weeks that its week is held against: marks there are looked at too. `seen` is the
    newest batch that was judged. Gives how many intervals changed.
    """
    window = moment(group[0].block[0], engine.tz), moment(group[-1].until, engine.tz)
    doubting = [rule.id for rule in rules.rules if rule.doubts]
    doubted = Spans.of(doubted_spans(writing, doubting, *window))
    return mark(pipeline, engine, writing, doubted, window, seen)
