//! Puts the files of `models/` into the binary: every weights file and card that lies there, so
//! that replacing a model means replacing files, and their checksums in `src/pinned.rs`.

use std::{env, fs, path::Path};

fn main() {
    let models = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../models");
    let mut table = String::from("pub(crate) static FILES: &[(&str, &[u8])] = &[\n");
    for kind in ["detector", "pad"] {
        let folder = models.join(kind);
        println!("cargo::rerun-if-changed={}", folder.display());
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.unwrap().path().canonicalize().unwrap())
            .filter(|path| {
                path.extension()
                    .is_some_and(|ext| ext == "onnx" || ext == "toml")
            })
            .collect();
        files.sort();
        for path in files {
            let name = path.file_name().unwrap().to_str().unwrap();
            table.push_str(&format!(
                "    ({:?}, include_bytes!({path:?})),\n",
                format!("{kind}/{name}")
            ));
        }
    }
    table.push_str("];\n");
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("models.rs");
    fs::write(out, table).unwrap();
}
