import pytest
from PIL import Image

from lifesign_training.close_ups import close_up
from lifesign_training.product import judged, summary


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


def test_the_summary_has_every_fold_their_mean_and_all_together():
    rows, scores = [], []
    for fold in range(2):
        for index in range(24):
            attack = index % 2 == 1
            rows.append({"label": "attack" if attack else "bona_fide", "pai_species": "screen" if attack else "", "source": f"s{fold}", "fold": str(fold)})
            scores.append(0.2 if attack else 0.8)
    scores[0] = None  # refused: in no figure
    scores[24] = 0.1  # a bona fide below all attacks, in the second fold
    lines = {line[:45].strip(): line[45:].split() for line in summary(rows, scores).splitlines()}
    assert lines[""] == ["fold", "0", "fold", "1", "mean", "sd", "all"]
    assert lines["AUC"][:3] == ["1.0000", "0.9167", "0.9583"]
    assert lines["BPCER at the D-EER threshold, worst source"][:4:2] == ["0.0", "8.3"]
