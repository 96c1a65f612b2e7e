import pytest
from PIL import Image

from lifesign_training.close_ups import close_up
from lifesign_training.product import judged


def test_a_close_up_keeps_the_face_and_its_box(tmp_path):
    Image.new("RGB", (200, 160), "white").save(tmp_path / "a.jpg")
    picture = Image.new("RGB", (200, 160), "white")
    picture.paste((200, 0, 0), (90, 60, 110, 90))  # the face
    picture.save(tmp_path / "a.png")
    row = {"image": "a.png", "face_x": "90", "face_y": "60", "face_w": "20", "face_h": "30", "width": "200", "height": "160", "fold": "3"}
    made = close_up(row, tmp_path, 2.0, tmp_path / "out")
    assert (made["width"], made["height"], made["fold"]) == ("60", "60", "3")
    left, top = float(made["face_x"]), float(made["face_y"])
    cut = Image.open(tmp_path / "out" / made["image"])
    assert cut.size == (60, 60)
    assert cut.crop((left, top, left + 20, top + 30)).getextrema() == ((200, 200), (0, 0), (0, 0))


def program(folder, body: str):
    file = folder / "lifesign"
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)
    return file


def test_each_picture_has_its_answer_and_a_missing_one_is_noticed(tmp_path):
    answers = program(tmp_path, 'shift 4; for each in "$@"; do echo "{\\"image\\": \\"$each\\", \\"liveness_score\\": 0.5}"; done; exit 1')
    files = [tmp_path / f"{index}.jpg" for index in range(3)]
    assert [answer["image"] for answer in judged(answers, tmp_path, files)] == [str(file) for file in files]
    with pytest.raises(RuntimeError, match="3 pictures, 0 answers; no such model"):
        judged(program(tmp_path, "echo no such model >&2; exit 2"), tmp_path, files)
