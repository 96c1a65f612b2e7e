//! `lifesign receipt`: verifying receipts, and the keys that sign them.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use lifesign_server::parse_lifetime;
use lifesign_server::receipt::{JwkSet, Statement, fetch_keys, matches_image, read_keys, verify};
use serde_json::Value;

use crate::admin::{manage, with_admin};
use crate::flags::DataFlags;

#[derive(Subcommand)]
pub enum ReceiptCommand {
    /// Check a receipt and print what it states. Exit code 1 when it is not valid.
    Verify(VerifyArgs),
    /// List the keys that sign and signed receipts.
    Keys(DataFlags),
    /// Make a new key: it is published at once and signs a while later; the old ones stay published.
    Rotate(RotateArgs),
    /// Withdraw a key that others may have: its receipts are worth nothing from now on.
    Withdraw(WithdrawArgs),
}

#[derive(Args)]
pub struct VerifyArgs {
    /// The receipt, a file that holds it or a whole answer, or - for standard input.
    receipt: String,
    /// The photograph that it must be about, byte for byte.
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The public keys: an address such as https://liveness.example/.well-known/jwks.json, or a
    /// file [default: those of the data folder].
    #[arg(long, value_name = "URL|FILE")]
    jwks: Option<String>,
    /// Print what it states as JSON, alone.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Args)]
pub struct RotateArgs {
    /// How long it is published before it signs, so that those who verify can fetch it.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_lifetime)]
    lead: Duration,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Args)]
pub struct WithdrawArgs {
    /// The key's id.
    kid: String,
    #[command(flatten)]
    data: DataFlags,
}

/// Runs `lifesign receipt …`.
pub fn run(command: ReceiptCommand) -> anyhow::Result<ExitCode> {
    match command {
        ReceiptCommand::Verify(args) => verified(args),
        ReceiptCommand::Keys(data) => manage(data, async |admin| {
            for key in admin.receipt_keys().await? {
                let state = match (key.signing, key.can_sign) {
                    (true, _) => "signs".to_owned(),
                    (false, true) if key.signs_from > key.created_at => {
                        format!("signs from {:.0}", key.signs_from)
                    }
                    (false, _) => "signed".to_owned(),
                };
                anstream::println!("{}  made {:.0}  {state}", key.kid, key.created_at);
            }
            Ok(())
        }),
        ReceiptCommand::Rotate(RotateArgs { lead, data }) => manage(data, async move |admin| {
            let kid = admin.rotate_receipt_key(lead).await?;
            anstream::println!("{kid}");
            Ok(())
        }),
        ReceiptCommand::Withdraw(WithdrawArgs { kid, data }) => manage(data, async move |admin| {
            admin.withdraw_receipt_key(&kid).await?;
            anstream::println!("The key {kid} is withdrawn; its receipts are worth nothing.");
            Ok(())
        }),
    }
}

fn verified(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let receipt = read_receipt(&args.receipt)?;
    let image = args.image.as_deref().map(|path| {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok::<_, anyhow::Error>((path, bytes))
    });
    let image = image.transpose()?;
    let keys = keys(args.jwks.as_deref(), args.data)?;

    let statement = match verify(&receipt, &keys) {
        Ok(statement) => statement,
        Err(why) => return Ok(refused(&why.to_string())),
    };
    if let Some((path, bytes)) = &image
        && !matches_image(&statement, bytes)
    {
        return Ok(refused(&format!(
            "the receipt is genuine, but about another photograph than {}",
            path.display()
        )));
    }
    if args.json {
        anstream::println!("{}", serde_json::to_string_pretty(&statement)?);
    } else {
        print(&statement, image.as_ref().map(|(path, _)| *path));
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(why: &str) -> ExitCode {
    anstream::eprintln!("not valid: {why}");
    ExitCode::from(1)
}

fn print(statement: &Statement, image: Option<&Path>) {
    let relation = if statement.passed {
        "above"
    } else {
        "not above"
    };
    let passed = if statement.passed {
        "passed"
    } else {
        "not passed"
    };
    let about = match image {
        Some(path) => format!("{} (SHA-256 {})", path.display(), statement.image_sha256),
        None => format!(
            "SHA-256 {}, not compared: see --image",
            statement.image_sha256
        ),
    };
    anstream::println!("The receipt is valid.");
    for (name, value) in [
        ("issuer", statement.iss.clone()),
        ("attempt", statement.jti.clone()),
        ("time", statement.time.clone()),
        ("client", statement.client_id.clone()),
        ("image", about),
        ("os", statement.os.clone()),
        (
            "score",
            format!(
                "{}, {relation} {}",
                statement.liveness_score, statement.min_score
            ),
        ),
        ("decision", format!("{passed}, {}", statement.decision)),
        ("version", format!("Lifesign {}", statement.version)),
    ] {
        anstream::println!("  {name:9} {value}");
    }
    for (name, value) in [
        ("session", &statement.capture_session),
        ("nonce", &statement.nonce),
    ] {
        if let Some(value) = value {
            anstream::println!("  {name:9} {value}");
        }
    }
    for (file, sha256) in &statement.weights {
        anstream::println!("  {:9} {file} {sha256}", "weights");
    }
}

/// The receipt itself, wherever it was given.
fn read_receipt(given: &str) -> anyhow::Result<String> {
    /// More than any answer with a receipt has.
    const MOST: u64 = 1 << 20;
    let mut text = String::new();
    if given == "-" {
        std::io::stdin()
            .take(MOST)
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
    } else if Path::new(given).is_file() {
        fs::File::open(given)
            .and_then(|file| file.take(MOST).read_to_string(&mut text))
            .with_context(|| format!("cannot read {given}"))?;
    } else if given.matches('.').count() == 2 && !given.contains('/') {
        given.clone_into(&mut text);
    } else {
        bail!("there is no file {given}, and it is no receipt either");
    }
    let text = text.trim();
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return Ok(text.to_owned());
    };
    match answer["signature"]["receipt"]
        .as_str()
        .or(answer["receipt"].as_str())
    {
        Some(receipt) => Ok(receipt.to_owned()),
        None => bail!("that answer holds no receipt"),
    }
}

fn keys(given: Option<&str>, data: DataFlags) -> anyhow::Result<JwkSet> {
    match given {
        Some(url) if url.contains("://") => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(fetch_keys(url))
            .with_context(|| format!("cannot use the keys at {url}")),
        Some(path) => fs::read(path)
            .map_err(anyhow::Error::from)
            .and_then(|json| Ok(read_keys(&json)?))
            .with_context(|| format!("cannot use the keys in {path}")),
        None => with_admin(data, async |admin| {
            let keys = admin.public_receipt_keys().await?;
            Ok(read_keys(keys.to_string().as_bytes())?)
        }),
    }
}
