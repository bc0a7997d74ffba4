from pathlib import Path
from typing import Any

import pytest

from polypinch.errors import PinchError
from polypinch.pool import ImportOptions, import_pool
from tests.pool.small import read_pool, texts, write_lines


def imported(folder: Path, recipe: str, rows: list[dict[str, Any]], **options: Any) -> list[dict[str, Any]]:
    file = write_lines(folder / "data.jsonl", rows)
    import_pool([str(file)], folder / "pool.parquet", ImportOptions(recipe=recipe, **options))
    return read_pool(folder / "pool.parquet")


def test_lima_alternates_strings_and_is_english(tmp_path: Path) -> None:
    rows = [
        {"conversations": ["Why?", "Because."], "source": "stackexchange"},
        {"conversations": ["Why?", "Because.", "Really?", "Yes."], "source": "multi_turn"},
    ]
    one, two = imported(tmp_path, "lima", rows)
    assert texts(one) == [("user", "Why?"), ("assistant", "Because.")]
    assert [role for role, _ in texts(two)] == ["user", "assistant"] * 2
    assert (one["item_id"], one["language"], one["source"], one["licence"], one["origin"]) == (
        "lima-1",
        "en",
        "lima",
        "CC-BY-NC-SA-4.0",
        "native",
    )


def test_the_prompts_of_lima_are_held_out_alone(tmp_path: Path) -> None:
    rows = [{"conversations": ["Why?"], "source": "test"}]
    assert texts(imported(tmp_path, "lima", rows, split="heldout")[0]) == [("user", "Why?")]


def tree(name: str, tag: str, replies: list[tuple[int | None, str]], **root: Any) -> list[dict[str, Any]]:
    shared = {"message_tree_id": name, "lang": tag, "deleted": False, "review_result": True}
    rows = [
        {
            "message_id": name,
            "parent_id": None,
            "role": "prompter",
            "rank": None,
            "text": f"{name}?",
            **shared,
            **root,
        }
    ]
    for number, (rank, text) in enumerate(replies):
        reply = {
            "message_id": f"{name}.{number}",
            "parent_id": name,
            "role": "assistant",
            "rank": rank,
            "text": text,
        }
        rows.append({**reply, **shared})
    follow = {
        "message_id": f"{name}.0.0",
        "parent_id": f"{name}.0",
        "role": "prompter",
        "rank": None,
        "text": "And?",
    }
    return [*rows, {**follow, **shared}]


@pytest.mark.parametrize("recipe", ["oasst1", "oasst2"])
@pytest.mark.parametrize("backwards", [False, True])
def test_openassistant_takes_the_best_ranked_first_reply_in_any_order_of_rows(
    tmp_path: Path, recipe: str, backwards: bool
) -> None:
    rows = [
        *tree("a", "en", [(1, "second"), (0, "best"), (None, "unranked")]),
        *tree("b", "pt-BR", [(2, "third"), (1, "second")]),
        *tree("c", "en", [(None, "unranked")]),
        *tree("d", "en", [(0, "fine")], deleted=True),
        *tree("e", "en", [(0, "fine")], review_result=False),
    ]
    found = {row["item_id"]: row for row in imported(tmp_path, recipe, rows[:: -1 if backwards else 1])}
    assert {item: texts(row)[1][1] for item, row in found.items()} == {"a": "best", "b": "second"}
    assert {item: row["language"] for item, row in found.items()} == {"a": "en", "b": "pt-BR"}
    assert texts(found["a"])[0] == ("user", "a?")


def test_a_deleted_reply_gives_way_to_the_next(tmp_path: Path) -> None:
    rows = tree("a", "en", [(0, "best"), (1, "second")])
    rows[1]["deleted"] = True
    assert texts(imported(tmp_path, "oasst1", rows)[0])[1] == ("assistant", "second")


def test_openassistant_with_a_column_per_language_is_parallel(tmp_path: Path) -> None:
    shared: dict[str, Any] = {"message_tree_id": "a"}
    rows = [
        {
            "message_id": "a",
            "parent_id": None,
            "role": "prompter",
            "rank": None,
            "en": "Why?",
            "fi": "Miksi?",
            **shared,
        },
        {
            "message_id": "b",
            "parent_id": "a",
            "role": "assistant",
            "rank": 0,
            "en": "So.",
            "fi": "Siksi.",
            **shared,
        },
    ]
    found = imported(tmp_path, "oasst1", rows)
    assert [(row["item_id"], row["language"], row["origin"]) for row in found] == [
        ("a", "en", "native"),
        ("a", "fi", "translated"),
    ]
    assert texts(found[1]) == [("user", "Miksi?"), ("assistant", "Siksi.")]


def test_aya_has_its_own_language_codes_and_kinds_of_annotation(tmp_path: Path) -> None:
    def row(code: str, kind: str) -> dict[str, Any]:
        names = {"language": "whatever", "language_code": code, "annotation_type": kind, "user_id": "x"}
        return {"inputs": f"Why in {code}?", "targets": "So.", **names}

    found = imported(
        tmp_path,
        "aya",
        [row("eng", "original-annotations"), row("arb", "re-annotations"), row("pes", "re-annotations")],
    )
    assert [(entry["language"], entry["origin"]) for entry in found] == [
        ("en", "native"),
        ("ar", "translated"),
        ("fa", "translated"),
    ]


def test_bactrian_x_joins_its_languages_by_id(tmp_path: Path) -> None:
    def row(number: int, said: str) -> dict[str, Any]:
        return {"instruction": f"{said}?", "input": "", "id": f"alpaca-{number}", "output": said}

    english = write_lines(tmp_path / "en.jsonl", [row(1, "one"), row(2, "two")])
    finnish = write_lines(tmp_path / "fi.jsonl", [row(2, "kaksi"), row(1, "yksi")])
    import_pool(
        [f"en={english}", f"fi={finnish}"], tmp_path / "pool.parquet", ImportOptions(recipe="bactrian-x")
    )
    found = {
        (entry["item_id"], entry["language"]): texts(entry)[1][1]
        for entry in read_pool(tmp_path / "pool.parquet")
    }
    assert found == {
        ("alpaca-1", "en"): "one",
        ("alpaca-2", "en"): "two",
        ("alpaca-1", "fi"): "yksi",
        ("alpaca-2", "fi"): "kaksi",
    }


def test_dolly_puts_the_context_after_the_instruction(tmp_path: Path) -> None:
    rows = [
        {
            "instruction": "When?",
            "context": "In 1901 it was.",
            "response": "In 1901.",
            "category": "closed_qa",
        },
        {"instruction": "Why?", "context": "", "response": "So.", "category": "open_qa"},
    ]
    one, two = imported(tmp_path, "dolly", rows)
    assert texts(one)[0] == ("user", "When?\n\nIn 1901 it was.")
    assert texts(two)[0] == ("user", "Why?")


@pytest.mark.parametrize("recipe", ["lima", "oasst1", "oasst2", "aya", "bactrian-x", "dolly"])
def test_another_layout_is_refused_by_file_and_row(tmp_path: Path, recipe: str) -> None:
    with pytest.raises(PinchError, match=r"data\.jsonl: row 1: no key .*: this is not the recipe's layout"):
        imported(tmp_path, recipe, [{"foo": "bar"}], language="en")
    assert not (tmp_path / "pool.parquet").exists()


def test_an_unknown_recipe_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(PinchError, match="bactrian-x"):
        imported(tmp_path, "bactrian", [{}])
