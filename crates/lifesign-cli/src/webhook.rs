//! `lifesign webhook`: whom a client wants told of its attempts, and what they were told.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use lifesign_server::store::{Delivery, DeliveryState};

use crate::admin::{OfClient, manage};

#[derive(Subcommand)]
pub enum WebhookCommand {
    /// Tell an address of every finished attempt, and print the secret that its events are signed
    /// with, alone.
    Add(AddWebhook),
    /// List a client's webhooks.
    List(OfClient),
    /// Remove a webhook, and what was to be delivered to it.
    Remove(OneWebhook),
    /// List what was delivered, or is to be, the newest first.
    Deliveries(Deliveries),
    /// Deliver once more.
    Replay(Replay),
}

#[derive(Args)]
pub struct AddWebhook {
    /// Where events are posted to: an http or https address.
    url: String,
    #[command(flatten)]
    of: OfClient,
}

#[derive(Args)]
pub struct OneWebhook {
    /// The webhook's id.
    webhook: String,
    #[command(flatten)]
    of: OfClient,
}

#[derive(Args)]
pub struct Deliveries {
    /// Only those that are so far.
    #[arg(long, value_name = "STATE")]
    state: Option<State>,
    /// At most so many.
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    of: OfClient,
}

#[derive(Args)]
pub struct Replay {
    /// The delivery's id.
    #[arg(required_unless_present = "failed", conflicts_with = "failed")]
    delivery: Option<String>,
    /// All that were given up.
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    of: OfClient,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    Pending,
    Delivered,
    Failed,
}

impl From<State> for DeliveryState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => DeliveryState::Pending,
            State::Delivered => DeliveryState::Delivered,
            State::Failed => DeliveryState::Failed,
        }
    }
}

/// Runs `lifesign webhook …`.
pub fn run(command: WebhookCommand) -> anyhow::Result<ExitCode> {
    match command {
        WebhookCommand::Add(AddWebhook { url, of }) => manage(of.data, async move |admin| {
            let (webhook, secret) = admin.add_webhook(&of.client, &url).await?;
            anstream::println!("{secret}");
            anstream::eprintln!("id {}; the secret is shown only now", webhook.id);
            Ok(())
        }),
        WebhookCommand::List(of) => manage(of.data, async move |admin| {
            for webhook in admin.webhooks(&of.client).await? {
                anstream::println!("{}  {}", webhook.id, webhook.url);
            }
            Ok(())
        }),
        WebhookCommand::Remove(OneWebhook { webhook, of }) => manage(of.data, async move |admin| {
            admin.remove_webhook(&of.client, &webhook).await?;
            anstream::println!("The webhook {webhook} is removed.");
            Ok(())
        }),
        WebhookCommand::Deliveries(Deliveries { state, limit, of }) => {
            manage(of.data, async move |admin| {
                let state = state.map(DeliveryState::from);
                for delivery in admin.deliveries(&of.client, state, limit).await? {
                    anstream::println!("{}", line(&delivery));
                }
                Ok(())
            })
        }
        WebhookCommand::Replay(Replay { delivery, of, .. }) => {
            manage(of.data, async move |admin| {
                let count = admin
                    .replay_deliveries(&of.client, delivery.as_deref())
                    .await?;
                let what = if count == 1 {
                    "delivery is"
                } else {
                    "deliveries are"
                };
                anstream::println!("{count} {what} due again.");
                Ok(())
            })
        }
    }
}

/// Such as `65…  2026-11-24T22:44:01Z  failed     JQ4RM  7 tries  answered 500  https://…`.
fn line(delivery: &Delivery) -> String {
    let Delivery {
        id,
        url,
        attempt_id,
        state,
        tries,
        outcome,
        created_at,
        due_at: _,
    } = delivery;
    let tries = match tries {
        1 => "1 try".to_owned(),
        more => format!("{more} tries"),
    };
    let outcome = outcome.as_deref().unwrap_or("-");
    let state = state.as_str();
    format!("{id}  {created_at:.0}  {state:9}  {attempt_id}  {tries:8}  {outcome}  {url}")
}
