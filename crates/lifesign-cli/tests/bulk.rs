//! Bulk work: shards, parts, resuming, object stores, and evaluating what was written.

mod common;
#[path = "common/s3.rs"]
mod s3;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{image, lifesign, skipped};
use s3::S3;
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a manifest, images and results.
struct Bench(TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(TempDir::new().unwrap())
    }

    /// So many rows, each with an image of its own: a person, a screen, no face, and none at all.
    fn with_rows(rows: usize) -> Bench {
        let bench = Bench::new();
        let mut manifest = String::from("image,label,os\n");
        for nth in 0..rows {
            let name = format!("{nth:03}.jpg");
            let (label, from) = match nth % 8 {
                1 | 5 => ("attack", "spoof_screen.jpg"),
                2 => ("attack", "no_face.jpg"),
                _ => ("bona_fide", "live_portrait.jpg"),
            };
            if nth % 8 != 7 {
                fs::copy(image(from), bench.path(&name)).unwrap();
            }
            manifest.push_str(&format!("{name},{label},ios\n"));
        }
        fs::write(bench.path("faces.csv"), manifest).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = lifesign();
        command
            .current_dir(self.0.path())
            .args(args.split_whitespace());
        command
    }

    fn run(&self, args: &str) -> Output {
        self.command(args).output().unwrap()
    }

    fn start(&self, args: &str) -> Child {
        let quiet = || Stdio::null();
        let mut command = self.command(args);
        command.stdout(quiet()).stderr(quiet()).spawn().unwrap()
    }

    /// The names of the parts in a folder.
    fn parts(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.filter(|name| name.starts_with("part-")).collect();
        names.sort();
        names
    }

    /// The rows of all JSON Lines parts in a folder.
    fn rows(&self, folder: &str) -> Vec<Value> {
        let parts = self.parts(folder).into_iter();
        let texts = parts.map(|name| fs::read_to_string(self.path(folder).join(name)).unwrap());
        let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
        lines
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }

    fn report(&self, command: &mut Command) -> Value {
        let output = command.args(["--json", "report.json"]).output().unwrap();
        assert!(output.status.code() < Some(2), "{}", stderr(&output));
        serde_json::from_slice(&fs::read(self.path("report.json")).unwrap()).unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn images(rows: &[Value]) -> Vec<String> {
    let images = rows.iter().map(|row| row["image"].as_str().unwrap());
    images.map(str::to_owned).collect()
}

fn names(rows: usize) -> Vec<String> {
    (0..rows).map(|nth| format!("{nth:03}.jpg")).collect()
}

#[test]
fn all_shards_together_give_each_row_once_and_a_second_run_nothing_new() {
    let bench = Bench::with_rows(11);
    let run =
        |shard| format!("check --manifest faces.csv --out out --shard {shard}/3 --part-rows 2");
    for shard in [2, 0, 1] {
        let output = bench.run(&run(shard));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_eq!(bench.parts("out").len(), 6);
    let rows = bench.rows("out");
    let mut found = images(&rows);
    assert_eq!(found[..4], ["000.jpg", "003.jpg", "006.jpg", "009.jpg"]);
    found.sort();
    assert_eq!(found, names(11));
    // As `check --json` says it.
    let row = |name: &str| rows.iter().find(|row| row["image"] == name).unwrap();
    assert_eq!(row("000.jpg")["passed"], true);
    assert_eq!(row("001.jpg")["passed"], false);
    assert_eq!(row("002.jpg")["failureReason"], "no_face_detected");
    assert_eq!(row("007.jpg")["outcome"], "error");

    let output = bench.run(&run(1));
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with("4 of 4 rows in out, parts: 2;"));
    assert_eq!(bench.rows("out"), rows);
}

#[test]
fn without_a_folder_rows_are_printed_as_images_of_the_command_line_are() {
    let bench = Bench::with_rows(4);
    let url = format!("file://{}", bench.path("faces.csv").display());
    let output = bench.run(&format!("check --json --manifest {url} --shard 1/2"));
    let rows: Vec<Value> = stdout(&output)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(images(&rows), ["001.jpg", "003.jpg"]);
    assert_eq!(output.status.code(), Some(1));
}

/// Waits until so many parts are there.
fn wait_for_parts(bench: &Bench, folder: &str, count: usize) {
    let start = Instant::now();
    while bench.parts(folder).len() < count {
        assert!(start.elapsed() < Duration::from_secs(120), "no part comes");
        thread::sleep(Duration::from_millis(5));
    }
}

/// More rows than are under way at once, however many cores there are.
fn many() -> usize {
    40 + 8 * thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn killed_in_the_middle_and_begun_again_there_is_one_row_for_each_image() {
    let bench = Bench::with_rows(many());
    let command = "check --manifest faces.csv --out out --part-rows 3";
    for parts in [2, 5] {
        let mut process = bench.start(command);
        wait_for_parts(&bench, "out", parts);
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(
            bench.rows("out").len() < many(),
            "it was done before it was killed"
        );
    }
    let before = bench.rows("out");
    let output = bench.run(command);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("{} rows are done already", before.len())));
    let rows = bench.rows("out");
    assert_eq!(images(&rows), names(many()));
    assert_eq!(rows[..before.len()], before);
}

#[cfg(unix)]
#[test]
fn asked_to_end_it_keeps_what_is_judged() {
    let bench = Bench::with_rows(many());
    let command = "check --manifest faces.csv --out out --part-rows 9";
    let mut process = bench.start(command);
    wait_for_parts(&bench, "out", 1);
    let killed = Command::new("kill").arg(process.id().to_string()).status();
    assert!(killed.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(2));
    // What was under way, too, though it made no full part.
    let kept = bench.rows("out").len();
    assert!((10..many()).contains(&kept), "{kept} rows");
    assert_eq!(bench.run(command).status.code(), Some(0));
    assert_eq!(images(&bench.rows("out")), names(many()));
}

#[test]
fn what_cannot_be_gone_on_with_is_refused_and_left_as_it_is() {
    let bench = Bench::with_rows(2);
    let args = "check --manifest faces.csv --out out";
    assert_eq!(bench.run(args).status.code(), Some(0));
    let rows = bench.rows("out");
    for (more, named) in [
        (" --shard 0/2", "part-0-of-1-00000.jsonl"),
        (" --format parquet", "part-0-of-1-00000.jsonl"),
        (" --min-score 0.7", "min_score: 0.6, now 0.7"),
        (" --os ios", "os: unknown, now ios"),
        (" --part-rows 0", "1 to 1000000"),
        (" --shard 2/2", "I/N"),
    ] {
        let output = bench.run(&format!("{args}{more}"));
        assert_eq!(output.status.code(), Some(2), "{more}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
    let text = fs::read_to_string(bench.path("faces.csv")).unwrap();
    fs::write(bench.path("faces.csv"), text + "more.jpg,attack,\n").unwrap();
    assert!(stderr(&bench.run(args)).contains("manifest: "));
    assert_eq!(bench.rows("out"), rows);

    for (args, named) in [
        (
            "check --manifest faces.csv --out x.parquet",
            "--format parquet",
        ),
        ("check --manifest nowhere.csv", "there is no nowhere.csv"),
        ("check --manifest ftp://host/faces.csv", "s3://"),
        ("check a.jpg --out out", "--manifest"),
    ] {
        let output = bench.run(args);
        assert_eq!(output.status.code(), Some(2), "{args}");
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}

#[test]
fn where_no_image_is_there_at_all_it_says_so_at_the_end() {
    let bench = Bench::with_rows(3);
    let output = bench.run("check --manifest faces.csv --images elsewhere --out out");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--images"), "{}", stderr(&output));
    assert_eq!(bench.rows("out").len(), 3);
}

#[test]
fn results_are_evaluated_without_looking_at_an_image_again() {
    let bench = Bench::with_rows(24);
    for shard in ["0/2", "1/2"] {
        let args = "check --manifest faces.csv --out ours --format parquet --part-rows 5 --shard";
        assert_eq!(bench.run(&format!("{args} {shard}")).status.code(), Some(0));
    }
    let mut evaluate =
        bench.command("evaluate faces.csv --no-cache --scorer ours --scorer lifesign");
    let report = bench.report(&mut evaluate);
    let [ours, engine] = [&report["scorers"][0], &report["scorers"][1]];
    assert_eq!(ours["scorer"]["name"], "ours");
    assert_eq!(ours["scorer"]["files"][0]["name"], "ours (6 parts)");
    for figure in ["auc", "d_eer", "apnrr", "bpnrr", "operating_points"] {
        assert_eq!(ours[figure], engine[figure], "{figure}");
    }
    // What could not be read then is not read now, and in no figure.
    assert_eq!(report["unreadable"].as_array().unwrap().len(), 3);

    for entry in fs::read_dir(bench.0.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jpg") {
            fs::remove_file(path).unwrap();
        }
    }
    let alone = bench.report(&mut bench.command("evaluate faces.csv --scorer ours"));
    assert_eq!(alone["scorers"][0]["auc"], ours["auc"]);

    fs::remove_file(bench.path("ours/part-1-of-2-00002.parquet")).unwrap();
    let output = bench.run("evaluate faces.csv --scorer ours");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("021.jpg"), "{}", stderr(&output));
}

#[test]
fn an_object_store_holds_manifest_images_and_results() {
    let bench = Bench::with_rows(12);
    let s3 = S3::start();
    let manifest = fs::read_to_string(bench.path("faces.csv")).unwrap();
    s3.put("jobs/faces.csv", manifest.clone());
    for name in names(12) {
        if let Ok(bytes) = fs::read(bench.path(&name)) {
            s3.put(&format!("pictures/{name}"), bytes);
        }
    }
    let remote = |args: &str| {
        let mut command = bench.command(args);
        s3.serve(&mut command);
        command
    };
    let check = "check --manifest s3://faces/jobs/faces.csv --images s3://faces/pictures/ \
                 --part-rows 4 --out s3://faces/results/today/";
    for _ in 0..2 {
        let output = remote(check).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let keys = s3.keys().into_iter();
    let parts: Vec<String> = keys.filter(|key| key.contains("/part-")).collect();
    assert_eq!(parts.len(), 3, "{parts:?}");
    assert_eq!(parts[0], "results/today/part-0-of-1-00000.jsonl");
    let text: Vec<u8> = parts.iter().flat_map(|key| s3.get(key)).collect();
    let lines = String::from_utf8(text).unwrap();
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(images(&rows), names(12));
    assert_eq!(rows[0]["passed"], true);
    assert_eq!(
        rows[7]["message"], "there is no s3://faces/pictures/007.jpg",
        "{}",
        rows[7]
    );

    let report = bench.report(&mut remote(
        "evaluate s3://faces/jobs/faces.csv --images s3://faces/pictures --no-cache \
         --scorer lifesign --scorer s3://faces/results/today",
    ));
    let [engine, results] = [&report["scorers"][0], &report["scorers"][1]];
    assert_eq!(results["scorer"]["name"], "today");
    assert_eq!(results["operating_points"], engine["operating_points"]);
}

#[test]
fn while_a_store_refuses_no_row_is_written_and_the_work_goes_on_later() {
    let bench = Bench::with_rows(30);
    let s3 = S3::start();
    for name in names(30) {
        s3.put(&name, fs::read(image("no_face.jpg")).unwrap());
    }
    let run = || {
        let mut command = bench.command("check --manifest faces.csv --images s3://faces --out out");
        s3.serve(&mut command);
        command.output().unwrap()
    };
    s3.deny_pictures(true);
    let output = run();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("20 images in a row"),
        "{}",
        stderr(&output)
    );
    assert_eq!(bench.parts("out"), Vec::<String>::new());
    s3.deny_pictures(false);
    assert_eq!(run().status.code(), Some(0));
    let rows = bench.rows("out");
    assert_eq!(images(&rows), names(30));
    assert!(rows.iter().all(|row| row["outcome"] == "rejected"));
}

/// A Python that has pyarrow, if there is one.
fn python() -> Option<PathBuf> {
    let venv = common::repository().join("target/python/bin/python3");
    let pythons = [venv, PathBuf::from("python3")].into_iter();
    pythons.into_iter().find(|python| {
        let probe = Command::new(python).args(["-c", "import pyarrow"]).output();
        probe.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn parquet_is_read_by_an_independent_reader() {
    let Some(python) = python() else {
        return skipped("there is no pyarrow");
    };
    let bench = Bench::with_rows(8);
    let output = bench.run("check --manifest faces.csv --out out --format parquet --part-rows 5");
    assert_eq!(output.status.code(), Some(0));
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_parquet.py");
    let output = Command::new(python)
        .arg(script)
        .arg(bench.path("out"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(images(rows), names(8));
    assert!(rows[0]["liveness_score"].as_f64().unwrap() > 0.6);
    assert_eq!(rows[0]["passed"], true);
    assert!(rows[0]["face_width"].as_f64().unwrap() > 1.0);
    assert_eq!(rows[2]["code"], "ERR_NO_FACE_DETECTED");
    assert_eq!(rows[2]["liveness_score"], Value::Null);
    assert_eq!(rows[7]["outcome"], "error");
}
