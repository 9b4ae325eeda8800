//! Operators' words on machines and devices. Whoever may open the socket has compared their PINs.

use axum::Json;
use axum::extract::{Path as UrlPath, Query, State};
use axum::http::StatusCode;
use gateway_core::RegistryInput;
use schemas::ids::{DeviceId, OperatorId};
use schemas::words::RefusalReason;
use serde::{Deserialize, Serialize};

use super::acts::ended;
use super::{Admin, Refused};

/// Who says so.
#[derive(Debug, Deserialize)]
pub(super) struct By {
    operator: OperatorId,
}

/// `POST /maintenance/{name}/on`, `…/off`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintained {
    /// The machine or device.
    pub name: String,
    /// Out of service.
    pub on: bool,
    /// Who said so.
    pub operator: OperatorId,
}

/// `POST /devices/{device}/accept`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The device.
    pub device: DeviceId,
    /// Who confirmed it.
    pub operator: OperatorId,
}

/// Out of service or back.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Switch {
    On,
    Off,
}

pub(super) async fn maintain(
    State(admin): State<Admin>,
    UrlPath((name, switch)): UrlPath<(String, Switch)>,
    Query(By { operator }): Query<By>,
) -> Result<Json<Maintained>, Refused> {
    let on = matches!(switch, Switch::On);
    let input = RegistryInput::Maintain {
        operator: operator.clone(),
        name: name.clone(),
        on,
    };
    let recorded = admin.acts.registry(input).await.map_err(ended)?;
    recorded.map_err(|reason| refused(&name, reason))?;
    Ok(Json(Maintained { name, on, operator }))
}

pub(super) async fn accept(
    State(admin): State<Admin>,
    UrlPath(device): UrlPath<String>,
    Query(By { operator }): Query<By>,
) -> Result<Json<Accepted>, Refused> {
    let device = DeviceId::new(device)
        .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
    let input = RegistryInput::AcceptDevice {
        device: device.clone(),
        operator: operator.clone(),
        says: None,
    };
    let recorded = admin.acts.registry(input).await.map_err(ended)?;
    recorded.map_err(|reason| refused(device.as_str(), reason))?;
    Ok(Json(Accepted { device, operator }))
}

fn refused(name: &str, reason: RefusalReason) -> Refused {
    let status = if reason == RefusalReason::TargetUnknown {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::CONFLICT
    };
    if reason == RefusalReason::DeviceOffline {
        let why = format!(
            "{name} has not said who it is since the gateway was started: switch it on, and try again"
        );
        return Refused(status, why);
    }
    Refused(status, format!("{name}: {}", texts::refusal(reason).en))
}
