use super::*;
use crate::record::Outcome;

fn record(image: &str) -> Record {
    Record {
        image: image.to_owned(),
        outcome: Outcome::Error {
            message: "gone".to_owned(),
        },
    }
}

fn settings(min_score: &str) -> Settings {
    Settings::from([("min_score".to_owned(), min_score.to_owned())])
}

/// A folder for results, and the parts of a shard in it.
struct Bench(tempfile::TempDir, Files);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap(), Files::new())
    }

    fn folder(&self) -> Place {
        Place::Local(self.0.path().join("results"))
    }

    fn open(&self, shard: &str, format: Format, min_score: &str) -> Result<Parts<'_>, PartsError> {
        let shard = shard.parse().unwrap();
        Parts::open(&self.1, &self.folder(), shard, format, settings(min_score))
    }

    fn refusal(&self, shard: &str, format: Format, min_score: &str) -> String {
        let refused = self.open(shard, format, min_score).err().unwrap();
        refused.to_string()
    }
}

#[test]
fn parts_of_a_shard_are_found_again_and_gone_on_with() {
    let bench = Bench::new();
    for nth in 0..3 {
        let mut parts = bench.open("1/2", Format::Parquet, "0.6").unwrap();
        assert_eq!(parts.count(), nth);
        parts.write(&[record(&format!("{nth}.jpg"))]).unwrap();
    }
    // The other shard's are its own business.
    let mut other = bench.open("0/2", Format::Parquet, "0.6").unwrap();
    other.write(&[record("other.jpg")]).unwrap();
    let parts = bench.open("1/2", Format::Parquet, "0.6").unwrap();
    let images: Vec<String> = (0..parts.count())
        .flat_map(|nth| parts.read(nth).unwrap())
        .map(|record| record.image)
        .collect();
    assert_eq!(images, ["0.jpg", "1.jpg", "2.jpg"]);

    let mut all = Vec::new();
    let any = read_all::<PartsError>(&bench.1, &bench.folder(), |name, _, records| {
        all.push((name.to_owned(), records.len()));
        Ok(())
    });
    assert!(any.unwrap());
    assert_eq!(all[0], ("part-0-of-2-00000.parquet".to_owned(), 1));
    assert_eq!(all.len(), 4);
}

#[test]
fn results_of_another_kind_of_run_are_never_mixed_with() {
    let bench = Bench::new();
    let mut parts = bench.open("0/2", Format::JsonLines, "0.6").unwrap();
    parts.write(&[record("a.jpg")]).unwrap();
    for (shard, format) in [("0/3", Format::JsonLines), ("1/2", Format::Parquet)] {
        let refusal = bench.refusal(shard, format, "0.6");
        assert!(refusal.contains("part-0-of-2-00000.jsonl"), "{refusal}");
    }
    let refusal = bench.refusal("0/2", Format::JsonLines, "0.7");
    assert!(refusal.contains("min_score: 0.6, now 0.7"), "{refusal}");
}

#[test]
fn a_lost_part_is_named() {
    let bench = Bench::new();
    let mut parts = bench.open("0/1", Format::JsonLines, "0.6").unwrap();
    parts.write(&[record("a.jpg")]).unwrap();
    parts.write(&[record("b.jpg")]).unwrap();
    let Place::Local(folder) = bench.folder() else {
        panic!("a temporary folder is local")
    };
    std::fs::remove_file(folder.join("part-0-of-1-00000.jsonl")).unwrap();
    let refusal = bench.refusal("0/1", Format::JsonLines, "0.6");
    assert!(
        refusal.contains("lacks part-0-of-1-00000.jsonl"),
        "{refusal}"
    );
}

#[test]
fn of_two_processes_on_one_shard_the_second_stops() {
    let bench = Bench::new();
    let mut one = bench.open("0/1", Format::JsonLines, "0.6").unwrap();
    let mut two = bench.open("0/1", Format::JsonLines, "0.6").unwrap();
    one.write(&[record("a.jpg")]).unwrap();
    let refusal = two.write(&[record("b.jpg")]).err().unwrap().to_string();
    assert!(refusal.contains("another process"), "{refusal}");
}

#[test]
fn what_a_killed_run_left_half_written_is_removed_and_never_read() {
    let bench = Bench::new();
    let Place::Local(folder) = bench.folder() else {
        panic!("a temporary folder is local")
    };
    std::fs::create_dir(&folder).unwrap();
    let left = folder.join(".unfinished-part-0-of-1-00000.jsonl-x1");
    std::fs::write(&left, "{\"image\":").unwrap();
    let parts = bench.open("0/1", Format::JsonLines, "0.6").unwrap();
    assert_eq!(parts.count(), 0);
    assert!(!left.exists());
}

#[test]
fn names_are_parts_only_as_they_are_written() {
    let name = "part-2-of-8-00013.parquet";
    let part = PartName::parse(name).unwrap();
    assert_eq!((part.shard.index, part.nth), (2, 13));
    assert_eq!(part.to_string(), name);
    for other in [
        "part-2-of-8-13.parquet",
        "part-8-of-8-00013.parquet",
        "part-2-of-8-00013.csv",
        "_part-2-of-8.json",
        "part-.jsonl",
    ] {
        assert_eq!(PartName::parse(other), None, "{other}");
    }
}
