//! Replays every file of every corpus: seeds that we drew or wrote, and what runs found.

use std::fs;
use std::path::Path;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("the corpus {} is missing: {error}", folder.display()));
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        if let Err(panic) = std::panic::catch_unwind(|| run(&bytes)) {
            eprintln!("the file is {}", path.display());
            std::panic::resume_unwind(panic);
        }
        count += 1;
    }
    assert!(count > 0, "the corpus {} is empty", folder.display());
}

macro_rules! corpora {
    ($($target:ident),+ $(,)?) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target), lifesign_fuzz::$target);
            }
        )+

        /// A folder that no target reads would be checked by nobody.
        #[test]
        fn every_corpus_has_its_target() {
            let targets = [$(stringify!($target)),+];
            let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
            for entry in fs::read_dir(corpus).unwrap() {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                let is_folder = entry.file_type().unwrap().is_dir();
                assert!(!is_folder || targets.contains(&&*name), "no target {name}");
            }
        }
    };
}

corpora!(
    exif,
    image_source,
    jpeg,
    json_body,
    jwt,
    manifest_csv,
    png,
    scores_csv,
    webp
);
