from lifesign_training.manifest import read_manifest

HEADER = "image,source,label,face_x,face_y,face_w,face_h"


def test_an_attack_stays_an_attack_where_no_species_is_given(tmp_path):
    file = tmp_path / "manifest.csv"
    file.write_text(f"{HEADER},pai_species\na.jpg,s,attack,0,0,9,9,\nb.jpg,s,attack,0,0,9,9,print\nc.jpg,s,bona_fide,0,0,9,9,\n")
    assert [(sample.attack, sample.species) for sample in read_manifest(file)] == [(True, "unknown"), (True, "print"), (False, "")]
    file.write_text(f"{HEADER}\na.jpg,s,attack,0,0,9,9\n")
    assert read_manifest(file)[0].species == "unknown"
