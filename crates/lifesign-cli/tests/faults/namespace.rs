//! A small disk of a test's own, in a mount namespace of its own, so that nothing of it is left and
//! nobody else sees it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::common::skipped;

/// Where the namespace is kept, and the disk in it; unmounted when dropped.
pub struct Disk {
    holder: Child,
    folder: TempDir,
    pid: String,
}

impl Disk {
    /// Mounts with `mount` and these arguments and the folder; `None` where this machine does not let
    /// us.
    pub fn mount(folder: TempDir, arguments: &str) -> Option<Disk> {
        let disk = folder.path().join("disk");
        std::fs::create_dir(&disk).unwrap();
        let script = format!(
            "mount {arguments} \"$0\" && echo ready && read line; umount \"$0\" 2> /dev/null"
        );
        let holder = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .arg(&disk)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut holder) = holder else {
            skipped("there is no `unshare` on this machine");
            return None;
        };
        let mut ready = String::new();
        let mut stdout = BufReader::new(holder.stdout.take().unwrap());
        stdout.read_line(&mut ready).unwrap();
        let pid = holder.id().to_string();
        let disk = Disk {
            holder,
            folder,
            pid,
        };
        if ready.trim() != "ready" {
            skipped("this machine lets us mount no disk");
            return None;
        }
        Some(disk)
    }

    /// The disk as it is seen inside.
    pub fn inside(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// The disk as it is seen from outside.
    pub fn outside(&self) -> PathBuf {
        let root = Path::new("/proc").join(&self.pid).join("root");
        root.join(self.inside().strip_prefix("/").unwrap())
    }

    /// The words that run a command inside.
    pub fn enter(&self) -> [&str; 4] {
        ["nsenter", "--mount", "--target", &self.pid]
    }

    /// Runs a command inside; it must succeed.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        let enter = self.enter();
        let output = Command::new(enter[0])
            .args(&enter[1..])
            .arg(program)
            .args(arguments)
            .arg(self.inside())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {arguments:?}: {error}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.holder.stdin.take() {
            let _ = stdin.write_all(b"\n");
        }
        let _ = self.holder.wait();
    }
}
