"""A few training rows as the training sees them: ids, texts and loss weights of every token.

The keys are those of the file behind `renderSamplesSignedUrl`.
"""

from __future__ import annotations

from typing import Any

import orjson

from localfireworks.engine.chat import Rendered, Renderer
from localfireworks.engine.dataset import Samples, Source
from localfireworks.engine.files import Folder
from localfireworks.engine.template import TemplateRenderer

MOST = 20


def write_samples(
    folder: Folder, source: Source, samples: Samples[Rendered], renderer: Renderer | TemplateRenderer
) -> None:
    """`render_samples.jsonl`: the first rows that are trained."""
    chosen = zip(samples.numbers[:MOST], samples.rows[:MOST], strict=True)
    records = [record(number, int(source.lines[number]), row, renderer) for number, row in chosen]
    content = b"".join(orjson.dumps(each) + b"\n" for each in records)
    folder.replace(folder.path / "render_samples.jsonl", content)


def record(number: int, line: int, row: Rendered, renderer: Renderer | TemplateRenderer) -> dict[str, Any]:
    """One row; the training targets are its tokens without the first, which nothing predicts."""
    ids, weights = row.ids.tolist(), row.weights.tolist()
    return {
        "source_jsonl_row_index": number,
        "source_jsonl_line_number": line,
        "split_index": 0,
        "worker_id": 0,
        "renderer": "qwen3",
        "train_on_what": "all_assistant_messages",
        "token_ids": ids,
        "decoded_tokens": [renderer.tokenizer.decode([each], skip_special_tokens=False) for each in ids],
        "token_weights": weights,
        "training_target_token_ids": ids[1:],
        "training_loss_weights": weights[1:],
    }
