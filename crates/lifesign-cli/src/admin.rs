//! `lifesign client`, `token` and `collection`: management of a data folder, also beside a running
//! server.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Subcommand};
use lifesign_server::limits::ClientLimits;
use lifesign_server::store::Holdings;
use lifesign_server::{Admin, parse_lifetime, parse_limit, parse_rate};

use crate::flags::{AdminFlags, ArchiveFlags, DataFlags};

#[derive(Subcommand)]
pub enum ClientCommand {
    /// Add a client.
    Add(ClientName),
    /// List all clients.
    List(DataFlags),
    /// Disable a client: all its tokens are refused from now on.
    Disable(ClientName),
    /// Erase a client and all that there is of it: attempts, collections, tokens, webhooks, capture
    /// sessions and kept photographs. Without --yes it says what that would be.
    Erase(EraseClient),
    /// Give a client limits of its own: what is not given is as configured.
    Limit(LimitClient),
}

#[derive(Args)]
pub struct EraseClient {
    /// The client's name.
    name: String,
    /// Do it: it cannot be undone.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    data: ArchiveFlags,
}

#[derive(Args)]
pub struct LimitClient {
    /// The client's name.
    name: String,
    /// Requests per second, such as 10 or 0.5.
    #[arg(long, value_name = "NUMBER", value_parser = parse_rate)]
    rate: Option<f64>,
    /// Requests at once, after a pause [default: those of one second].
    #[arg(long, value_name = "COUNT", value_parser = parse_limit)]
    burst: Option<u32>,
    /// Requests under way at the same time.
    #[arg(long, value_name = "COUNT", value_parser = parse_limit)]
    concurrent: Option<u32>,
    /// Judged photographs in a calendar month (UTC).
    #[arg(long, value_name = "COUNT", value_parser = parse_limit)]
    quota: Option<u32>,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Args)]
pub struct ClientName {
    /// The client's name.
    name: String,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Issue an access token to a client and print it, alone.
    Issue(IssueArgs),
    /// Revoke a token, given itself or by its id (`jti`).
    Revoke(RevokeArgs),
}

#[derive(Args)]
pub struct IssueArgs {
    /// The client's name.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// How long it is valid, such as 12h or 90d [default: the key `token_lifetime`].
    #[arg(long, value_name = "DURATION", value_parser = parse_lifetime)]
    expires: Option<Duration>,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Args)]
pub struct RevokeArgs {
    /// The token, or its id.
    token: String,
    #[command(flatten)]
    data: DataFlags,
}

#[derive(Subcommand)]
pub enum CollectionCommand {
    /// Add a collection and print its id, alone.
    Add(AddCollection),
    /// List a client's collections.
    List(OfClient),
    /// Remove a collection, given by its name or id; its attempts stay.
    Remove(OneCollection),
}

#[derive(Args)]
pub struct OfClient {
    /// The client's name.
    #[arg(long, value_name = "NAME")]
    pub client: String,
    #[command(flatten)]
    pub data: DataFlags,
}

#[derive(Args)]
pub struct AddCollection {
    /// The collection's name.
    name: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,
    #[command(flatten)]
    of: OfClient,
}

#[derive(Args)]
pub struct OneCollection {
    /// The collection's name or id.
    collection: String,
    #[command(flatten)]
    of: OfClient,
}

/// Opens the data folder and runs `work` on it: all that a command does.
pub fn manage<F, const ARCHIVE: bool>(
    data: AdminFlags<ARCHIVE>,
    work: impl FnOnce(Admin) -> F,
) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<()>>,
{
    with_admin(data, work).map(|()| ExitCode::SUCCESS)
}

/// Opens the data folder and runs `work` on it.
pub fn with_admin<T, F, const ARCHIVE: bool>(
    data: AdminFlags<ARCHIVE>,
    work: impl FnOnce(Admin) -> F,
) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let config = data.load()?;
    if config.database.is_none() && !config.data_dir.is_dir() {
        let path = config.data_dir.display();
        bail!("there is no data folder {path} (key `data_dir`); `lifesign serve` makes it");
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let admin = Admin::open(&config).await?;
            work(admin).await
        })
}

/// Runs `lifesign client …`.
pub fn client(command: ClientCommand) -> anyhow::Result<ExitCode> {
    match command {
        ClientCommand::Add(ClientName { name, data }) => manage(data, async move |admin| {
            let client = admin.add_client(&name).await?;
            anstream::println!("{}  {}", client.id, client.name);
            Ok(())
        }),
        ClientCommand::List(data) => manage(data, async |admin| {
            for client in admin.clients().await? {
                let state = if client.disabled_at.is_some() {
                    "disabled"
                } else {
                    "active"
                };
                let limits = limits(&client.limits);
                anstream::println!("{}  {state:8}  {}{limits}", client.id, client.name);
            }
            Ok(())
        }),
        ClientCommand::Erase(EraseClient { name, yes, data }) => manage(data, async move |admin| {
            let Holdings {
                attempts,
                collections,
                tokens,
                webhooks,
                captures,
                images,
            } = admin.holdings(&name).await?;
            let all = format!(
                "the client `{name}`, its attempts ({attempts}), collections ({collections}), tokens \
                     ({tokens}), webhooks ({webhooks}), capture sessions ({captures}) and kept photographs ({images})"
            );
            if !yes {
                bail!("this would erase {all}; say --yes to do it");
            }
            admin.erase_client(&name).await?;
            anstream::println!("Erased: {all}.");
            Ok(())
        }),
        ClientCommand::Limit(LimitClient {
            name,
            rate,
            burst,
            concurrent,
            quota,
            data,
        }) => manage(data, async move |admin| {
            let own = ClientLimits {
                rate,
                burst,
                concurrent,
                quota,
            };
            admin.limit_client(&name, own).await?;
            match limits(&own).as_str() {
                "" => anstream::println!("The client `{name}` has the configured limits."),
                limits => anstream::println!("The client `{name}` has its own limits:{limits}."),
            }
            Ok(())
        }),
        ClientCommand::Disable(ClientName { name, data }) => manage(data, async move |admin| {
            admin.disable_client(&name).await?;
            anstream::println!("The client `{name}` is disabled; its tokens are refused.");
            Ok(())
        }),
    }
}

/// A client's own limits, such as `  rate 10, quota 5000`; nothing where it has none.
fn limits(limits: &ClientLimits) -> String {
    let count = |name, count: Option<u32>| count.map(|count| format!("{name} {count}"));
    let told = [
        limits.rate.map(|rate| format!("rate {rate}")),
        count("burst", limits.burst),
        count("concurrent", limits.concurrent),
        count("quota", limits.quota),
    ];
    let told: Vec<String> = told.into_iter().flatten().collect();
    match told.is_empty() {
        true => String::new(),
        false => format!("  {}", told.join(", ")),
    }
}

/// Runs `lifesign token …`.
pub fn token(command: TokenCommand) -> anyhow::Result<ExitCode> {
    match command {
        TokenCommand::Issue(IssueArgs {
            client,
            expires,
            data,
        }) => manage(data, async move |admin| {
            let issued = admin.issue_token(&client, expires).await?;
            anstream::println!("{}", issued.token);
            anstream::eprintln!("id {}, valid until {:.0}", issued.jti, issued.expires_at);
            Ok(())
        }),
        TokenCommand::Revoke(RevokeArgs { token, data }) => manage(data, async move |admin| {
            let id = admin.revoke_token(&token).await?;
            anstream::println!("The token {id} is revoked.");
            Ok(())
        }),
    }
}

/// Runs `lifesign collection …`.
pub fn collection(command: CollectionCommand) -> anyhow::Result<ExitCode> {
    match command {
        CollectionCommand::Add(AddCollection {
            name,
            description,
            of,
        }) => manage(of.data, async move |admin| {
            let collection = admin
                .add_collection(&of.client, &name, &description)
                .await?;
            anstream::println!("{}", collection.id);
            Ok(())
        }),
        CollectionCommand::List(OfClient { client, data }) => manage(data, async move |admin| {
            for collection in admin.collections(&client).await? {
                anstream::println!(
                    "{}  {}  {}",
                    collection.id,
                    collection.name,
                    collection.description
                );
            }
            Ok(())
        }),
        CollectionCommand::Remove(OneCollection { collection, of }) => {
            manage(of.data, async move |admin| {
                admin.remove_collection(&of.client, &collection).await?;
                anstream::println!("The collection `{collection}` is removed; its attempts stay.");
                Ok(())
            })
        }
    }
}
