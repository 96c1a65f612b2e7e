//! `lifesign image`: photographs that are kept for disputes.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use lifesign_server::archive;

use crate::admin::manage;
use crate::flags::ArchiveFlags;

#[derive(Subcommand)]
pub enum ImageCommand {
    /// Make a key pair: write the private key to a file, for a place away from the service, and
    /// print the public one, for the key `images_keep_key`.
    Keygen(Keygen),
    /// List the kept photographs of a client, and until when they are kept.
    List(OfArchive),
    /// Fetch the photograph of an attempt: encrypted, or decrypted where the private key is given.
    Fetch(Fetch),
}

#[derive(Args)]
pub struct Keygen {
    /// Where to write the private key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub struct Fetch {
    /// The attempt's id.
    attempt: String,
    /// Where to write the photograph.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The file of the private key; without it the file is what `age --decrypt` takes.
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    #[command(flatten)]
    of: OfArchive,
}

#[derive(Args)]
pub struct OfArchive {
    /// The client's name.
    #[arg(long, value_name = "NAME")]
    client: String,
    #[command(flatten)]
    data: ArchiveFlags,
}

/// Runs `lifesign image …`.
pub fn run(command: ImageCommand) -> anyhow::Result<ExitCode> {
    match command {
        ImageCommand::Keygen(Keygen { out }) => {
            let (private, public) = archive::generate_key();
            write_private(&out, &format!("# public key: {public}\n{private}\n"))
                .with_context(|| format!("cannot write {}", out.display()))?;
            anstream::println!("{public}");
            Ok(ExitCode::SUCCESS)
        }
        ImageCommand::List(of) => manage(of.data, async move |admin| {
            for image in admin.kept_images(&of.client).await? {
                let until = image.expires_at;
                anstream::println!("{}  until {until:.0}  {}", image.attempt_id, image.location);
            }
            Ok(())
        }),
        ImageCommand::Fetch(Fetch {
            attempt,
            out,
            identity,
            of,
        }) => manage(of.data, async move |admin| {
            let mut photograph = admin.kept_image(&of.client, &attempt).await?;
            if let Some(path) = identity {
                let key = fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                photograph = archive::decrypt(&key, &photograph)?;
            }
            if out.exists() {
                bail!("{} is there already", out.display());
            }
            fs::write(&out, photograph).with_context(|| format!("cannot write {}", out.display()))
        }),
    }
}

/// Writes a file that is not there yet, for its owner's eyes alone.
fn write_private(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
