"""Writes expected.jsonl: what jinja2 makes of snippets.txt and of templates/ × conversations.json.

Run it with a Python that has jinja2 3.1.6; the tests compare without Python.
"""
import json
import pathlib
import warnings

import reference

warnings.simplefilter("ignore")
HERE = pathlib.Path(__file__).parent
VALUES = {
    "s": "Hello, wörld! it's", "n": 7, "l": [3, 1, 2], "w": ["b", "A", "c", "a"], "none": None,
    "d": {"z": 1, "a": {"k": [1, 2]}}, "q": "it's \"q\" é", "e": [], "f": 2.5, "t": True, "x": 5,
    "sig": "ΑΣ ΣΑΣ.",
    "ms": [
        {"role": "user", "n": 2, "content": "hi"}, {"role": "tool", "n": 1, "content": None},
        {"role": "user", "n": 3, "content": "<b>"}],
}
TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}


def rows():
    for line in (HERE / "snippets.txt").read_text().split("\n"):
        if line:
            yield {"template": line, "messages": VALUES["ms"], "variables": VALUES}
    conversations = json.loads((HERE / "conversations.json").read_text())
    for file in sorted((HERE / "templates").glob("*.jinja")):
        for row in conversations:
            variables = {**TOKENS, **row.get("variables", {})}
            yield {**row, "template": file.read_text(), "name": file.name, "variables": variables}


def main():
    with open(HERE / "expected.jsonl", "w") as out:
        for row in rows():
            answer = reference.render(row)
            if "name" in row:
                row["template"] = row["name"]
            row = {**row, "answer": answer}
            if "name" not in row:
                del row["variables"], row["messages"]
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
