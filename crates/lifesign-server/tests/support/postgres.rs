//! A throwaway PostgreSQL server for tests, where there is `initdb`.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// Names the server to the tests that run on it.
const SERVER: &str = "LIFESIGN_TEST_POSTGRES";
const USER: &str = "lifesign";

/// A running server; killed when dropped.
pub struct Postgres {
    process: Child,
    folder: TempDir,
    /// Without the database's name.
    pub url: String,
}

impl Postgres {
    /// Starts a server, or says why there is none.
    pub fn start() -> Option<Postgres> {
        let Some(programs) = programs() else {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: there is no PostgreSQL on this machine"
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let user = other_user();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let made = as_user(&programs.join("initdb"), user)
            .args([
                "--no-sync",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--username",
                USER,
            ])
            .arg("--pgdata")
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );

        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let server = Postgres {
            process: spawn(&data, port),
            folder,
            url: format!("postgres://{USER}@127.0.0.1:{port}"),
        };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        let program = programs().unwrap().join("psql");
        for _ in 0..300 {
            let ready = client(&program, &self.url)
                .args(["--command", "SELECT 1", "postgres"])
                .output();
            if ready.unwrap().status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the PostgreSQL server does not answer");
    }

    /// Stops the server with a signal: INT breaks connections off, QUIT is as a crash.
    #[allow(dead_code, reason = "not every test binary stops it")]
    pub fn stop(&mut self, signal: &str) {
        let pid = self.process.id().to_string();
        let sent = Command::new("kill")
            .args([format!("-{signal}"), pid])
            .status();
        assert!(sent.unwrap().success());
        self.process.wait().unwrap();
    }

    /// Starts it again where it was, and waits until it answers.
    #[allow(dead_code, reason = "not every test binary stops it")]
    pub fn resume(&mut self) {
        let port = self.url.rsplit(':').next().unwrap().parse().unwrap();
        self.process = spawn(&self.folder.path().join("data"), port);
        self.wait();
    }

    /// The server's process.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// The address of a fresh database of that name.
    #[allow(dead_code, reason = "not every test binary needs one by name")]
    pub fn database(&self, name: &str) -> String {
        database(&self.url, name)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(data: &Path, port: u16) -> Child {
    as_user(&programs().unwrap().join("postgres"), other_user())
        .arg("-D")
        .arg(data)
        .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k", ""])
        .args([
            "-c",
            "max_connections=500",
            "-c",
            "fsync=off",
            "-c",
            "full_page_writes=off",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the tests of this binary that `arguments` select once more, on a PostgreSQL server.
#[allow(dead_code, reason = "not every test binary runs again")]
pub fn run_again(arguments: &[&str]) {
    if std::env::var_os(SERVER).is_some() {
        return;
    }
    let Some(server) = Postgres::start() else {
        return;
    };
    let output = Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .env(SERVER, &server.url)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // A selection that selects nothing would succeed, too.
    let ran = printed
        .lines()
        .filter(|line| line.ends_with(" ... ok"))
        .count();
    assert!(ran >= 3, "{printed}");
}

/// The database for the test that has `folder`, where the tests run on PostgreSQL; made on the
/// first call, the same on every other.
#[allow(dead_code, reason = "not every test binary runs again")]
pub fn database_of(folder: &Path) -> Option<String> {
    let server = std::env::var(SERVER).ok()?;
    let name: String = folder
        .file_name()?
        .to_string_lossy()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    Some(database(
        &server,
        &format!("t{}", name.to_ascii_lowercase()),
    ))
}

fn database(server: &str, name: &str) -> String {
    let programs = programs().unwrap();
    let made = client(&programs.join("psql"), server)
        .args(["--command", &format!("CREATE DATABASE {name}"), "postgres"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&made.stderr);
    assert!(
        made.status.success() || error.contains("already exists"),
        "{error}"
    );
    format!("{server}/{name}")
}

fn client(program: &Path, server: &str) -> Command {
    let port = server.rsplit(':').next().unwrap();
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-U", USER, "-p", port]);
    command
}

/// The folder of PostgreSQL's programs: Debian keeps them out of the way.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").ok();
    let versions = debian.into_iter().flatten().flatten();
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions
        .map(|version| version.path().join("bin"))
        .chain(std::env::split_paths(&path))
        .find(|folder| {
            ["initdb", "postgres", "psql"]
                .iter()
                .all(|name| folder.join(name).is_file())
        })
}

/// A user to run the server as where the tests run as root, which PostgreSQL refuses.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"])? != 0 {
        return None;
    }
    let names = ["postgres", "nobody"].into_iter();
    names
        .filter_map(|name| Some((id(&["-u", name])?, id(&["-g", name])?)))
        .next()
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        use std::os::unix::process::CommandExt as _;
        command.uid(uid).gid(gid);
    }
    // Where it starts in must be a folder that the user may read.
    command.current_dir("/");
    command
}
