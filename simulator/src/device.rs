//! What reader, scanner and camera have in common: a link that can lose its power, and one command at a
//! time, the newest.

use std::future::Future;

use adapters::link::{Command, Inbound, Link, LinkConfig, LinkHandle};
use schemas::message::command::CommandId;
use schemas::words::DeviceStatus;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Power of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// It works.
    On,
    /// It takes commands and never answers.
    Silent,
    /// The plug is pulled: no goodbye.
    Off,
    /// It says goodbye and ends.
    Closed,
}

/// Runs a device until its power is [`Power::Closed`] or the sender is gone. `act` carries a command out
/// and replies; a newer command stops it.
pub(crate) async fn run<F, W>(config: LinkConfig, mut power: watch::Receiver<Power>, act: F)
where
    F: Fn(LinkHandle, Command) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    loop {
        let on = power
            .wait_for(|power| *power != Power::Off)
            .await
            .map_or(Power::Closed, |power| *power);
        if on == Power::Closed {
            return;
        }
        let (link, mut inbound) = Link::start(config.clone());
        link.handle().status(DeviceStatus::Online, None);
        work(&link.handle(), &mut inbound, &mut power, &act).await;
        if *power.borrow() == Power::Off {
            // Dropped without a goodbye: the broker publishes the last will.
            drop(link);
        } else {
            link.shutdown().await;
            return;
        }
    }
}

struct Work {
    id: CommandId,
    task: JoinHandle<()>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work<F, W>(
    link: &LinkHandle,
    inbound: &mut mpsc::Receiver<Inbound>,
    power: &mut watch::Receiver<Power>,
    act: &F,
) where
    F: Fn(LinkHandle, Command) -> W,
    W: Future<Output = ()> + Send + 'static,
{
    let mut current: Option<Work> = None;
    loop {
        tokio::select! {
            message = inbound.recv() => match message {
                Some(Inbound::Command(command)) => {
                    if *power.borrow() == Power::Silent {
                        link.forget(command.id());
                        continue;
                    }
                    if let Some(old) = current.take().filter(|work| !work.task.is_finished()) {
                        // Nobody waits for it any more; were it asked for again, it would be done anew.
                        link.forget(&old.id);
                    }
                    let id = command.id().clone();
                    let task = tokio::spawn(act(link.clone(), command));
                    current = Some(Work { id, task });
                }
                Some(Inbound::Receipt(_) | Inbound::Prompt(_) | Inbound::Connected) => {}
                None => return,
            },
            changed = power.changed() => {
                let ends = matches!(*power.borrow(), Power::Off | Power::Closed);
                if changed.is_err() || ends {
                    return;
                }
            }
        }
    }
}

/// Says that a reply or an event was not taken; there is nobody else to tell.
pub(crate) fn sent<T>(what: &str, sent: Result<T, adapters::link::LinkError>) -> Option<T> {
    match sent {
        Ok(sent) => Some(sent),
        Err(error) => {
            tracing::error!(what, %error, "a message was not taken");
            None
        }
    }
}
