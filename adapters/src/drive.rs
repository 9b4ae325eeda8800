//! The loop of an adapter: one task, one owner of the line. Commands are taken between two rounds with the device.

use std::time::Instant;

use tokio::sync::watch;

use crate::link::{Command, Inbound, Link, LinkConfig, LinkHandle};

/// What brings one device to MQTT.
pub(crate) trait Adapter {
    /// Takes a command; what it asks for is done by the next rounds.
    fn take(&mut self, command: Command);

    /// When the next round is due.
    fn next_at(&self) -> Instant;

    /// One round with the device. What it brought is said before it returns.
    fn step(&mut self) -> impl Future<Output = ()> + Send;
}

/// Runs what `make` makes until `shutdown` becomes true or its sender is dropped; then says goodbye. A round that is under way is
/// dropped where it stands.
pub(crate) async fn drive<A: Adapter>(
    link: LinkConfig,
    mut shutdown: watch::Receiver<bool>,
    make: impl FnOnce(LinkHandle) -> A,
) {
    let (link, mut inbound) = Link::start(link);
    let mut adapter = make(link.handle());
    while !*shutdown.borrow() {
        tokio::select! {
            message = inbound.recv() => match message {
                Some(Inbound::Command(command)) => adapter.take(command),
                Some(Inbound::Receipt(_) | Inbound::Prompt(_) | Inbound::Connected) => {}
                None => break,
            },
            () = tokio::time::sleep_until(adapter.next_at().into()) => {
                tokio::select! {
                    () = adapter.step() => {}
                    _ = shutdown.wait_for(|ends| *ends) => break,
                }
            }
            changed = shutdown.changed() => if changed.is_err() { break },
        }
    }
    link.shutdown().await;
}
