//! `lifesign check`: what it prints, and how it ends.

mod common;

use std::process::Output;

use common::{image, lifesign};
use serde_json::Value;

fn check(args: &[&str]) -> Output {
    lifesign().arg("check").args(args).output().unwrap()
}

fn path(name: &str) -> String {
    image(name).display().to_string()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn json_has_one_line_for_each_image_in_the_order_given() {
    let (live, none) = (path("live_portrait.jpg"), path("no_face.jpg"));
    let output = check(&["--json", &live, &none, "--min-score", "0.25", "--os", "ios"]);
    let [assessed, rejected] = lines(&output).try_into().unwrap();

    assert_eq!(assessed["image"], live.as_str());
    assert_eq!(assessed["outcome"], "assessed");
    let score = assessed["liveness_score"].as_f64().unwrap();
    assert_eq!(assessed["passed"], score > 0.25);
    assert_eq!(assessed["min_score"], 0.25);
    assert!(assessed["elapsed_ms"].as_f64().unwrap() > 0.0);
    for key in ["x", "y", "width", "height"] {
        assert!(assessed["face"][key].is_number(), "{assessed}");
    }

    assert_eq!(rejected["image"], none.as_str());
    assert_eq!(rejected["outcome"], "rejected");
    assert_eq!(rejected["code"], "ERR_NO_FACE_DETECTED");
    assert_eq!(rejected["failureReason"], "no_face_detected");
    assert!(rejected["message"].as_str().unwrap().contains("face"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_exit_code_is_0_when_all_pass_and_1_when_any_does_not() {
    let live = path("live_portrait.jpg");
    assert_eq!(check(&["--min-score", "0", &live]).status.code(), Some(0));
    assert_eq!(check(&["--min-score", "1", &live]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_named_and_ends_with_2_after_all_others_were_checked() {
    let live = path("live_portrait.jpg");
    let output = check(&["--json", "no-such-file.jpg", &live, "--min-score", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-file.jpg"));
    let [failed, assessed] = lines(&output).try_into().unwrap();
    assert_eq!(failed["outcome"], "error");
    assert_eq!(assessed["passed"], true);
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_was_wrong() {
    for (args, named) in [
        (&["--min-score", "2", "x.jpg"][..], "0 to 1"),
        (&["--profile", "lax", "x.jpg"], "strict"),
        (&[], "IMAGE"),
    ] {
        let output = check(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(named),
            "{args:?}"
        );
    }
}

#[test]
fn a_folder_is_checked_whole_and_summed_up_for_people_without_colour_in_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["live_portrait.jpg", "two_faces.jpg"] {
        std::fs::copy(image(name), folder.path().join(name)).unwrap();
    }
    let output = check(&[&folder.path().display().to_string()]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("2 images") && text.contains("1 could not be judged"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_strict_profile_is_stricter() {
    let live = path("live_portrait.jpg");
    let [line] = lines(&check(&["--json", "--profile", "strict", &live]))
        .try_into()
        .unwrap();
    assert_eq!(line["code"], "ERR_LIVENESS_FACE_TOO_SMALL");
}

#[test]
fn a_plain_http_address_is_refused() {
    let output = check(&["--json", "http://example.org/face.jpg"]);
    assert!(matches!(output.status.code(), Some(1 | 2)));
    assert_ne!(lines(&output)[0]["outcome"], "assessed");
}
