//! Window tickets (A15): which wait, what an officer needs to open one, and what became of it. What was entered is answered sealed, as it
//! stands in the log; the officer's own tool opens it.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use gateway_core::WindowTicket;
use schemas::acceptance::AcceptanceNumber;
use schemas::envelope;
use schemas::event::Event;
use schemas::event::application::{ApplicationAccepted, Entered, WindowTicketIssued};
use schemas::ids::{BlobHash, DeviceId, OperatorId, SessionId, TicketNumber};
use schemas::key::RecipientId;
use schemas::message::Pin;
use schemas::words::RefusalReason;
use schemas::words::application::{ProvisionalCause, WindowResult};
use serde::{Deserialize, Serialize};

use super::acts::ended;
use super::commission::{AT, named};
use super::{Admin, Refused, event_at, internal};
use crate::blobs::Kept;
use crate::pipeline::{WindowAct, WindowAsk};
use crate::sealing::WindowForm;

/// `GET /window`: one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedTicket {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: WindowTicket,
    /// Whose keys open here what was entered; empty: nobody's, and whoever needs it asks the centre.
    pub opens: BTreeSet<RecipientId>,
}

/// The body of `POST /window/{ticket}/open`.
#[derive(Deserialize)]
pub(super) struct WindowOpening {
    operator: OperatorId,
    pin: Pin,
    /// Whose private key they have.
    key: RecipientId,
}

/// `POST /window/{ticket}/open`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedTicket {
    /// The ticket.
    pub ticket: WindowTicket,
    /// What was entered, as it stands in the log.
    pub entered: Entered,
    /// The number that it was accepted under, 22 digits; none: it was not accepted. Personal: for the officer alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acceptance_number: Option<String>,
    /// What the centre still had to decide then (A17).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provisional: Vec<ProvisionalCause>,
    /// The sealed keys of the session: the texts of their files.
    pub keys: Vec<String>,
}

/// The body of `POST /window/{ticket}/close`.
#[derive(Deserialize)]
pub(super) struct WindowClosing {
    operator: OperatorId,
    pin: Pin,
    result: WindowResult,
}

pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Vec<ListedTicket>>, Refused> {
    let tickets = admin.acts.tickets().await.map_err(ended)?;
    let keys = admin.session_keys;
    let read = panics::off_runtime(move || keys.window_recipients()).await;
    let read = read.map_err(|error| internal(&error.to_string()))?;
    let mut recipients = read.map_err(|error| internal(&error.to_string()))?;
    let tickets = tickets.into_iter().map(|ticket| ListedTicket {
        opens: recipients.remove(&ticket.session).unwrap_or_default(),
        ticket,
    });
    Ok(Json(tickets.collect()))
}

pub(super) async fn open(
    State(admin): State<Admin>,
    UrlPath(number): UrlPath<String>,
    Json(opening): Json<WindowOpening>,
) -> Result<Json<OpenedTicket>, Refused> {
    let number = named(TicketNumber::new(number))?;
    let WindowOpening { operator, pin, key } = opening;
    // Before it is recorded that somebody opened it: there must be something to give. One that is closed is told so by the rules.
    let tickets = admin.acts.tickets().await.map_err(ended)?;
    let ticket = tickets.into_iter().find(|ticket| ticket.ticket == number);
    let prepared = match ticket {
        Some(ticket) => Some(prepare(&admin, ticket, &key).await?),
        None => None,
    };
    act(&admin, operator, pin, &number, WindowAct::Open(key)).await?;
    let opened = prepared.ok_or_else(|| refusal(&number, RefusalReason::TicketUnknown))?;
    Ok(Json(opened))
}

pub(super) async fn close(
    State(admin): State<Admin>,
    UrlPath(number): UrlPath<String>,
    Json(closing): Json<WindowClosing>,
) -> Result<Json<TicketNumber>, Refused> {
    let number = named(TicketNumber::new(number))?;
    let WindowClosing {
        operator,
        pin,
        result,
    } = closing;
    if result == WindowResult::Lapsed {
        let why = "a ticket lapses by itself: an officer says accepted, refused, not-come or papers-handed-out";
        return Err(Refused(StatusCode::BAD_REQUEST, why.to_owned()));
    }
    act(&admin, operator, pin, &number, WindowAct::Close(result)).await?;
    Ok(Json(number))
}

pub(super) async fn blob(
    State(admin): State<Admin>,
    UrlPath(name): UrlPath<String>,
) -> Result<Response, Refused> {
    let name = named(BlobHash::new(name))?;
    let (blobs, wanted) = (admin.blobs, name.clone());
    let read = panics::off_runtime(move || blobs.read(&wanted)).await;
    let read = read.map_err(|error| internal(&error.to_string()))?;
    match read.map_err(|error| internal(&error.to_string()))? {
        Kept::Whole(bytes) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            Ok((kind, bytes).into_response())
        }
        kept @ (Kept::Damaged | Kept::Missing) => {
            let why = format!("the file {name} is {} here", kept.word());
            Err(Refused(StatusCode::NOT_FOUND, why))
        }
    }
}

/// The PIN is compared, and what follows is durable.
async fn act(
    admin: &Admin,
    operator: OperatorId,
    pin: Pin,
    number: &TicketNumber,
    act: WindowAct,
) -> Result<(), Refused> {
    let asked = WindowAsk {
        check: admin.pins.check(operator, pin).await,
        at: named(DeviceId::new(AT))?,
        ticket: number.clone(),
        act,
    };
    let told = admin.acts.window(asked).await.map_err(ended)?;
    told.map_err(|reason| refusal(number, reason))
}

/// What an officer with this key is given, or why there is nothing.
async fn prepare(
    admin: &Admin,
    ticket: WindowTicket,
    key: &RecipientId,
) -> Result<OpenedTicket, Refused> {
    let mut forms = forms(admin, &ticket.session).await?;
    if forms.is_empty() {
        let why = format!(
            "{}: no key of {} is here for the window any more: it was erased, or the application was before the window had a key. What is \
             not erased can be opened at the centre",
            ticket.ticket, ticket.session
        );
        return Err(Refused(StatusCode::GONE, why));
    }
    forms.retain(|form| form.recipients.contains(key));
    if forms.is_empty() {
        let why = format!(
            "{}: it is not sealed to the key {key}, but to those of other officers",
            ticket.ticket
        );
        return Err(Refused(StatusCode::FORBIDDEN, why));
    }
    let (entered, accepted) = match recorded(admin, &ticket).await? {
        Recorded::Ticket(issued) => (*issued.entered, None),
        Recorded::Acceptance(accepted) => {
            let number = AcceptanceNumber::of(&accepted.site, accepted.place);
            let number = number.expose().to_owned();
            (*accepted.entered, Some((number, accepted.provisional)))
        }
    };
    let (acceptance_number, provisional) = accepted.unzip();
    let keys = forms.into_iter().map(|form| String::from_utf8(form.bytes));
    let keys = keys.collect::<Result<_, _>>();
    Ok(OpenedTicket {
        entered,
        acceptance_number,
        provisional: provisional.unwrap_or_default(),
        keys: keys.map_err(|error| internal(&error.to_string()))?,
        ticket,
    })
}

/// The event that holds what was entered.
enum Recorded {
    Ticket(Box<WindowTicketIssued>),
    Acceptance(Box<ApplicationAccepted>),
}

async fn recorded(admin: &Admin, ticket: &WindowTicket) -> Result<Recorded, Refused> {
    let gone = || {
        let why = format!(
            "{}: the event that holds what was entered is not here any more: the centre has it",
            ticket.ticket
        );
        Refused(StatusCode::GONE, why)
    };
    let index = ticket.entered.ok_or_else(gone)?;
    if index < admin.log.first_index() {
        return Err(gone());
    }
    let log = admin.log.clone();
    let read = panics::off_runtime(move || {
        let signed = event_at(&log, index)?;
        Ok::<_, anyhow::Error>(envelope::read(&signed)?.event)
    });
    let read = read.await.map_err(|error| internal(&error.to_string()))?;
    let event = read.map_err(|error| internal(&format!("{error:#}")))?;
    if let Event::WindowTicketIssued(issued) = event {
        Ok(Recorded::Ticket(Box::new(issued)))
    } else if let Event::ApplicationAccepted(accepted) = event {
        Ok(Recorded::Acceptance(Box::new(accepted)))
    } else {
        Err(gone())
    }
}

async fn forms(admin: &Admin, session: &SessionId) -> Result<Vec<WindowForm>, Refused> {
    let (keys, session) = (admin.session_keys.clone(), session.clone());
    let read = panics::off_runtime(move || keys.window_forms(&session)).await;
    let read = read.map_err(|error| internal(&error.to_string()))?;
    read.map_err(|error| internal(&error.to_string()))
}

fn refusal(number: &TicketNumber, reason: RefusalReason) -> Refused {
    let why = texts::refusal(reason).en;
    let is_of_operator = matches!(
        reason,
        RefusalReason::OperatorUnknown | RefusalReason::OperatorLocked
    );
    if is_of_operator {
        let why = format!("{why}; nothing was changed");
        return Refused(StatusCode::FORBIDDEN, why);
    }
    if reason == RefusalReason::NotAChoice {
        let why = format!(
            "{number}: this cannot become of it: a ticket for papers that were not handed out is closed as papers-handed-out or not-come, any \
             other as accepted, refused or not-come. `gateway window list` says which it is"
        );
        return Refused(StatusCode::CONFLICT, why);
    }
    let status = if reason == RefusalReason::TicketUnknown {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::CONFLICT
    };
    Refused(status, format!("{number}: {why}"))
}
