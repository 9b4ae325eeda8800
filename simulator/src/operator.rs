//! An operator at a kiosk: receives the demo's batch, scans its cards, closes it, and loads each card into
//! a slot, all of it through the requests that a real operator's kiosk sends.
//!
//! What is recorded already is skipped, so that this can be done again at any time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use adapters::link::{Inbound, Link, LinkConfig, LinkError, LinkHandle, new_message_id};
use schemas::ids::{CardSerial, DeviceId, MachineId, MessageId, OperatorId};
use schemas::message::device::Description;
use schemas::message::kiosk::{Receipt, ReceiptOutcome};
use schemas::slot::SlotAddress;
use schemas::words::{DeviceKind, DeviceStatus, RefusalReason};
use serde_json::{Value, json};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use crate::dispenser::{CardPlace, Machine};
use crate::world::World;

/// The demo's operator.
pub const DEMO_OPERATOR: &str = "operator-1";
/// The demo operator's PIN. It opens nothing but a demo.
pub const DEMO_PIN: &str = "246810";

/// How long a receipt may take.
const RECEIPT_S: u64 = 10;
/// How long a card may take into its slot.
const LOADED_S: u64 = 60;
/// Attempts while the machine is busy or a device is still starting.
const ATTEMPTS_MAX: u16 = 150;
/// Pause between them.
const ATTEMPT_PAUSE_MS: u64 = 200;

/// Who loads what where.
#[derive(Debug, Clone)]
pub struct StockUp {
    /// Link of the kiosk; see [`kiosk_description`].
    pub link: LinkConfig,
    /// The operator.
    pub operator: OperatorId,
    /// The PIN.
    pub pin: String,
    /// The machine.
    pub machine: MachineId,
    /// Cards to load, at most; the rest stays in the safe.
    pub load_len_max: usize,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Stocked {
    /// Cards scanned now.
    pub scanned: usize,
    /// Cards loaded now.
    pub loaded: usize,
    /// Cards that were in their slots already.
    pub in_place: usize,
}

/// Why the stock was not brought in.
#[derive(Debug, Error)]
pub enum StockError {
    /// The link.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// No receipt came.
    #[error("no receipt for {request} in {RECEIPT_S} s")]
    NoReceipt {
        /// The request.
        request: &'static str,
    },
    /// A refusal that stops the work.
    #[error("{request} was refused: {reason:?}")]
    Refused {
        /// The request.
        request: &'static str,
        /// Why.
        reason: RefusalReason,
    },
    /// A card did not get into its slot.
    #[error("card {card} is not in slot {slot} after {LOADED_S} s")]
    NotLoaded {
        /// The card.
        card: CardSerial,
        /// The slot.
        slot: SlotAddress,
    },
    /// The machine has fewer slots than the batch has cards.
    #[error("the machine has no slot for card {0}")]
    NoSlot(CardSerial),
}

/// What `desc` says of the operator's kiosk.
pub fn kiosk_description() -> Description {
    Description {
        kind: DeviceKind::Kiosk,
        vendor: "simulated".to_owned(),
        model: "operator's kiosk".to_owned(),
        firmware: env!("CARGO_PKG_VERSION").to_owned(),
        commands: Vec::new(),
        events: Vec::new(),
        serial: None,
        totals: Vec::new(),
    }
}

/// Brings the people's batch in. The manifest lies in the gateway's inbox already
/// ([`crate::people::People::write_manifest`]).
pub async fn stock_up(world: &World, plan: StockUp) -> Result<Stocked, StockError> {
    let kiosk: DeviceId = plan.link.device.clone();
    let (link, inbound) = Link::start(plan.link.clone());
    link.handle().status(DeviceStatus::Online, None);
    let mut desk = Desk {
        link: link.handle(),
        inbound,
        operator: json!({ "id": plan.operator, "pin": plan.pin }),
    };
    let stocked = desk.work(world, &plan).await;
    link.shutdown().await;
    tracing::info!(%kiosk, ?stocked, "the operator has finished");
    stocked
}

struct Desk {
    link: LinkHandle,
    inbound: mpsc::Receiver<Inbound>,
    operator: Value,
}

impl Desk {
    async fn work(&mut self, world: &World, plan: &StockUp) -> Result<Stocked, StockError> {
        let mut stocked = Stocked::default();
        let batch = &world.people.batch;
        let fields = json!({ "batch": batch });
        let received = self.ask("receive-batch", &fields).await?;
        tolerate("receive-batch", &received, &[RefusalReason::BatchKnown])?;
        for person in &world.people.people {
            let fields = json!({ "batch": batch, "card": person.card.serial });
            let receipt = self.ask("scan-card", &fields).await?;
            // A card that was scanned is in the safe or beyond; a closed batch takes no more.
            let known = [RefusalReason::CardElsewhere, RefusalReason::BatchUnknown];
            if tolerate("scan-card", &receipt, &known)? {
                stocked.scanned += 1;
            }
        }
        let receipt = self.ask("close-batch", &json!({ "batch": batch })).await?;
        tolerate("close-batch", &receipt, &[RefusalReason::BatchUnknown])?;
        for (at, person) in world.people.people.iter().enumerate() {
            if at >= plan.load_len_max {
                break;
            }
            self.load(world, plan, at, &person.card.serial, &mut stocked)
                .await?;
        }
        Ok(stocked)
    }

    async fn load(
        &mut self,
        world: &World,
        plan: &StockUp,
        at: usize,
        card: &CardSerial,
        stocked: &mut Stocked,
    ) -> Result<(), StockError> {
        let slot = slot_at(world, at).ok_or_else(|| StockError::NoSlot(card.clone()))?;
        let place = |world: &World| world.dispenser.look(|m| m.memory().place(card));
        match place(world) {
            CardPlace::Elsewhere | CardPlace::Hopper => {}
            CardPlace::Slot { .. } => {
                stocked.in_place += 1;
                return Ok(());
            }
            // It has been through the machine: somebody has it, or it is under way.
            CardPlace::Transport { .. }
            | CardPlace::Reject
            | CardPlace::Recycle
            | CardPlace::Taken => return Ok(()),
        }
        world.dispenser.act(|machine| {
            machine.empty_hopper();
            machine.put_in_hopper(card.clone());
        });
        let fields = json!({ "card": card, "machine": plan.machine, "slot": slot });
        let receipt = self.ask("load-card", &fields).await?;
        if !tolerate("load-card", &receipt, &[RefusalReason::CardElsewhere])? {
            world.dispenser.act(Machine::empty_hopper);
            return Ok(());
        }
        let mut changes = world.dispenser.changes();
        let limit = Instant::now() + Duration::from_secs(LOADED_S);
        while place(world) != (CardPlace::Slot { slot }) {
            tokio::select! {
                changed = changes.changed() => if changed.is_ok() { continue; },
                () = sleep_until(limit) => {}
            }
            let card = card.clone();
            return Err(StockError::NotLoaded { card, slot });
        }
        stocked.loaded += 1;
        Ok(())
    }

    /// Asks, and asks anew while the station is not ready for it.
    async fn ask(&mut self, request: &'static str, fields: &Value) -> Result<Receipt, StockError> {
        let mut attempt = 0;
        loop {
            let receipt = self.ask_once(request, fields).await?;
            attempt += 1;
            let not_yet = matches!(
                &receipt.outcome,
                ReceiptOutcome::Refused {
                    reason: RefusalReason::MachineBusy
                        | RefusalReason::DeviceOffline
                        | RefusalReason::OutOfService,
                    ..
                }
            );
            if !not_yet || attempt >= ATTEMPTS_MAX {
                return Ok(receipt);
            }
            sleep(Duration::from_millis(ATTEMPT_PAUSE_MS)).await;
        }
    }

    async fn ask_once(
        &mut self,
        request: &'static str,
        fields: &Value,
    ) -> Result<Receipt, StockError> {
        let message_id = new_message_id();
        let mut message = json!({
            "message_id": message_id,
            "deadline_ms": now_ms() + RECEIPT_S * 1_000,
            "operator": self.operator,
        });
        if let (Some(all), Some(fields)) = (message.as_object_mut(), fields.as_object()) {
            all.extend(fields.clone());
        }
        // The receipt is what counts; it comes after the acknowledgement.
        drop(self.link.request(request, message_id.clone(), &message)?);
        self.receipt(&message_id)
            .await
            .ok_or(StockError::NoReceipt { request })
    }

    async fn receipt(&mut self, id: &MessageId) -> Option<Receipt> {
        let limit = Instant::now() + Duration::from_secs(RECEIPT_S);
        loop {
            tokio::select! {
                message = self.inbound.recv() => match message? {
                    Inbound::Receipt(receipt) if receipt.message_id.as_ref() == Some(id) => return Some(receipt),
                    Inbound::Receipt(_)
                    | Inbound::Prompt(_)
                    | Inbound::Command(_)
                    | Inbound::Connected => {}
                },
                () = sleep_until(limit) => return None,
            }
        }
    }
}

/// `true`: accepted. `false`: refused for a reason that is fine.
fn tolerate(
    request: &'static str,
    receipt: &Receipt,
    fine: &[RefusalReason],
) -> Result<bool, StockError> {
    match &receipt.outcome {
        ReceiptOutcome::Accepted => Ok(true),
        ReceiptOutcome::Refused { reason, .. } if fine.contains(reason) => Ok(false),
        ReceiptOutcome::Refused { reason, .. } => {
            let reason = *reason;
            Err(StockError::Refused { request, reason })
        }
    }
}

/// The slot of the card at a place of the manifest: column by column.
fn slot_at(world: &World, at: usize) -> Option<SlotAddress> {
    let (columns, per_column) = world.dispenser.look(|machine| {
        let shape = machine.shape();
        (shape.columns, shape.slots_per_column)
    });
    let at = u16::try_from(at).ok()?;
    let column = at.checked_div(per_column)?;
    (column < columns).then_some(())?;
    SlotAddress::new(column, at % per_column).ok()
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
