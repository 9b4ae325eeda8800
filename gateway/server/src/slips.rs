//! Slips: what a kiosk prints for a citizen, with a QR code by which an auditor finds and proves the event later (P7).
//!
//! A slip is made once a signed checkpoint covers its event. It is derived from the log alone, so it is made again whenever the
//! prompt that it belongs to is shown again; nothing of it is kept.

use std::sync::Arc;

use gateway_audit::Slip;
use gateway_core::View;
use gateway_log::Log;
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use schemas::envelope::Origin;
use schemas::ids::{DeviceId, SessionId};
use schemas::message::kiosk;
use tokio::sync::mpsc;

use crate::effects::json;
use crate::outlet::{Outgoing, Outlet};

/// Slips that wait for their checkpoint.
const WAITING_MAX: usize = 256;
/// Smallest side of the image, in its own units; it scales.
const SVG_SIDE_MIN: u32 = 200;

/// A slip to be made.
#[derive(Debug)]
pub(crate) struct Due {
    kiosk: DeviceId,
    session: SessionId,
    index: u64,
}

/// Where slips are asked for. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Slips(mpsc::Sender<Due>);

impl Slips {
    /// The desk, and the future that makes the slips.
    pub fn new(log: Log, outlet: Arc<dyn Outlet>) -> (Self, impl Future<Output = ()>) {
        let (sender, due) = mpsc::channel(WAITING_MAX);
        (Self(sender), make_all(log, outlet, due))
    }

    /// The prompt of a kiosk was shown: its slip follows, if it has one. Never waits.
    pub(crate) fn shown(&self, kiosk: &DeviceId, view: &View) {
        let (Some(session), Some(index)) = (&view.session, view.slip) else {
            return;
        };
        let due = Due {
            kiosk: kiosk.clone(),
            session: session.clone(),
            index,
        };
        if self.0.try_send(due).is_err() {
            tracing::warn!(%kiosk, "too many slips wait; one is left out until its prompt is shown again");
        }
    }
}

async fn make_all(log: Log, outlet: Arc<dyn Outlet>, mut due: mpsc::Receiver<Due>) {
    let mut heads = log.heads();
    while let Some(Due {
        kiosk,
        session,
        index,
    }) = due.recv().await
    {
        // A checkpoint comes at the latest a second after its event. Without one the log has ended.
        if heads
            .wait_for(|head| head.checkpoint.size > index)
            .await
            .is_err()
        {
            return;
        }
        let reading = log.clone();
        let made = panics::off_runtime(move || slip(&reading, session, index)).await;
        match made {
            Ok(Ok(slip)) => outlet.send(Outgoing {
                device: kiosk,
                channel: "slip".to_owned(),
                payload: json(&slip),
                assured: true,
                expiry_s: None,
            }),
            Ok(Err(error)) => {
                tracing::error!(%kiosk, error = format!("{error:#}"), "a slip cannot be made");
            }
            Err(_ended) => return,
        }
    }
}

/// By what an auditor finds the event, which a signed checkpoint covers. Reads the stored tree.
pub(crate) fn proof(log: &Log, index: u64) -> anyhow::Result<Slip> {
    let inclusion = log.inclusion(index)?;
    Ok(Slip {
        origin: Origin::new(log.origin())?,
        index,
        size: inclusion.head.checkpoint.size,
        leaf: inclusion.leaf,
    })
}

fn slip(log: &Log, session: SessionId, index: u64) -> anyhow::Result<kiosk::Slip> {
    let slip = proof(log, index)?;
    let qr = slip.to_string();
    // Paper is folded and wet: a quarter of the code may be lost.
    let code = QrCode::with_error_correction_level(&qr, EcLevel::Q)?;
    let image = code
        .render::<svg::Color<'_>>()
        .min_dimensions(SVG_SIDE_MIN, SVG_SIDE_MIN)
        .build();
    Ok(kiosk::Slip {
        session,
        text: texts::slip(),
        origin: slip.origin.to_string(),
        index,
        size: slip.size,
        leaf: slip.leaf.to_string(),
        qr,
        qr_svg: image,
    })
}
