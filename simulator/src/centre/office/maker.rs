//! The maker of cards: for each application that stands and is paid a card is made, once, and announced to its station in a manifest. From
//! there it goes the way of every card: arrival, custody, pickup.

use std::io;
use std::path::Path;

use schemas::acceptance::AcceptanceNumber;
use schemas::citizen::CitizenName;
use schemas::ids::{BatchId, CardSerial};
use schemas::words::application::ApplicationKind;
use schemas::words::{Residence, ResidenceGround};
use serde_json::{Value, json};

use super::Office;
use super::cases::{Case, Standing};
use super::letters::Letter;
use super::opening::Holder;
use crate::centre::folder::create;
use crate::people::People;

/// "MAD" in ASCII, in hexadecimal digits, as chips' serials are written.
const SERIAL_HEAD: &str = "4D4144";
/// Of whom neither the card that was read nor the register has a name.
const NO_NAME: &str = "持证人";

impl Office {
    /// Makes the cards that are due. The chips lie in `folder`, by serial, before their manifest is posted. True: something changed.
    pub(super) fn make(
        &mut self,
        register: &People,
        folder: &Path,
        now_ms: u64,
    ) -> io::Result<bool> {
        let due: Vec<String> = self
            .cases
            .iter()
            .filter(|(_, case)| self.is_due(case))
            .map(|(key, _)| key.clone())
            .collect();
        let before = self.made;
        for key in &due {
            self.make_one(key, register, folder, now_ms)?;
        }
        Ok(self.made != before)
    }

    fn is_due(&self, case: &Case) -> bool {
        let order = case.order.as_ref().and_then(|order| self.bills.get(order));
        let is_paid = case.order.is_none() || order.is_some_and(super::Bill::is_paid);
        case.standing == Standing::Confirmed && is_paid
    }

    fn make_one(
        &mut self,
        key: &str,
        register: &People,
        folder: &Path,
        now_ms: u64,
    ) -> io::Result<()> {
        let number = self.made + 1;
        let Some(case) = self.cases.get_mut(key) else {
            return Ok(());
        };
        let Some(holder) = case.holder.clone() else {
            return Ok(());
        };
        let card =
            CardSerial::new(format!("{SERIAL_HEAD}{number:010}")).map_err(io::Error::other)?;
        let batch = BatchId::new(format!("made-{number:06}")).map_err(io::Error::other)?;
        let name = holder.name_in(register);
        let name = name.as_ref().map_or(NO_NAME, CitizenName::expose);
        let manifest = manifest(case, &holder, name, &card, &batch);
        // Cut off after this, the same chip is made again, and is the same.
        let chip = register.chip_of(&holder.number, name, &card);
        create(
            &folder.join(format!("{card}.json")),
            chip.to_string().as_bytes(),
        )?;
        case.standing = Standing::Made { card, batch };
        let station = case.sender.station.clone();
        self.made = number;
        self.post(&station, Letter::Manifest(manifest.to_string()), now_ms);
        Ok(())
    }
}

/// The voucher is the acceptance number (P1). Whoever lost a card has none to hand in (P6).
fn manifest(case: &Case, holder: &Holder, name: &str, card: &CardSerial, batch: &BatchId) -> Value {
    let voucher = AcceptanceNumber::of(&case.site, case.place);
    let old_card_due = matches!(
        case.kind,
        Some(ApplicationKind::Renewal | ApplicationKind::Damaged)
    );
    json!({ "batch": batch, "cards": [{
        "serial": card,
        "number": holder.number,
        "name": name,
        "voucher": voucher.expose(),
        "residence": case.residence,
        "ground": ground(case),
        "old_card_due": old_card_due,
    }]})
}

/// P8: whoever is registered elsewhere was accepted because they live here, which the centre has checked (A2).
fn ground(case: &Case) -> Option<ResidenceGround> {
    let is_local = case.residence.is_none_or(|r| r == Residence::Local);
    (!is_local).then_some(ResidenceGround::ResidencePermit)
}
