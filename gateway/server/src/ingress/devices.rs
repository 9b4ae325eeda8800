//! What devices say of themselves beyond their status: `desc` and `prop/{name}`.

use gateway_core::{Described, Input, RegistryInput};
use schemas::ids::DeviceId;
use schemas::message::device::{Description, Measurement};

use super::parse::{Parsed, Unreadable};

/// How the name of a property ends that counts up.
const TOTAL: &str = "-total";

/// A description is retained and shown to observers, and the rules are told who the device says it is.
pub(super) fn described(device: &DeviceId, said: &Description) -> Result<Parsed, Unreadable> {
    let are_totals = said.totals.iter().all(|name| name.ends_with(TOTAL));
    if !said.is_plain() || !are_totals {
        return Err(Unreadable { message_id: None });
    }
    let said = Described {
        kind: said.kind,
        firmware: said.firmware.clone(),
        serial: said.serial.clone(),
        totals: said.totals.clone(),
    };
    let device = device.clone();
    Ok(Parsed::Plain(Input::Registry(RegistryInput::Described {
        device,
        said,
    })))
}

/// A measurement is nobody's business here, unless it is one that never runs backwards.
pub(super) fn measured(
    device: &DeviceId,
    name: &str,
    said: &Measurement,
) -> Result<Parsed, Unreadable> {
    if !said.is_plain() {
        return Err(Unreadable { message_id: None });
    }
    let count = name.ends_with(TOTAL).then(|| whole(said.value)).flatten();
    Ok(count.map_or(Parsed::Volatile, |count| {
        Parsed::Plain(Input::Registry(RegistryInput::Counted {
            device: device.clone(),
            total: name.to_owned(),
            count,
        }))
    }))
}

/// A count, as JSON writes numbers. Text is the way between the two that loses nothing.
fn whole(value: f64) -> Option<u64> {
    format!("{value}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G1: what counts is a whole number that is not negative.
    #[test]
    fn counts_are_whole_numbers() {
        for (value, count) in [
            (0.0, Some(0)),
            (4_294_967_295.0, Some(4_294_967_295)),
            (1.5, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
            (1e300, None),
        ] {
            assert_eq!(whole(value), count, "{value}");
        }
    }
}
