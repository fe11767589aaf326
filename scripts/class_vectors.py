"""Make the text vectors of the classes of pictures, after `vision/classes.txt` has changed.

python scripts/class_vectors.py
"""

from pathlib import Path

import numpy as np

from agentctx import vision
from agentctx.config import Config
from agentctx.records import Observation, Passage
from agentctx.services import SharedServices
from agentctx.vision.classes import ENCODER, VECTORS, classes, coded


def main() -> None:
    """Encode every class, and keep the vectors beside their texts."""
    encoder = SharedServices(Config()).encoder(ENCODER)
    texts = [one.text for one in classes()]
    nothing = Observation(text="-")
    rows = encoder.encode([Passage(nothing, 0, text, 0, len(text)) for text in texts]).vectors
    path = Path(vision.__file__).with_name(VECTORS)
    np.save(path, coded(rows))
    print(f"{path.name}: {len(rows)} rows, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
