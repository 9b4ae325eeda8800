//! The counter: the demonstration's people. `/` shows the orders and the phone, and pays; the rest is for programs. What it shows is
//! personal, if synthetic, so it listens apart from the centre's pages, on loopback.

use std::fmt::Write as _;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use schemas::ids::{OrderId, TicketNumber};
use schemas::message::peripheral::Fen;
use schemas::order::PaymentCode;
use schemas::words::application::WindowResult;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::serving::Ask;
use super::{Asked, OfficeFaults};
use crate::centre::page::escaped;

/// The way to the office.
pub(in crate::centre) type Asks = mpsc::UnboundedSender<Ask>;

#[derive(Deserialize)]
struct Pay {
    order: OrderId,
    amount_fen: Option<Fen>,
    /// From the page: go back to it.
    #[serde(default)]
    page: bool,
}

#[derive(Deserialize)]
struct Scan {
    code: PaymentCode,
}

#[derive(Deserialize)]
struct GiveUp {
    order: OrderId,
}

#[derive(Deserialize)]
struct Window {
    ticket: TicketNumber,
    result: WindowResult,
}

pub(in crate::centre) fn router(asks: Asks) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/look", get(look))
        .route("/pay", post(pay))
        .route("/scan", post(scan))
        .route("/give-up", post(give_up))
        .route("/window", post(window))
        .route("/faults", post(faults))
        .with_state(asks)
}

/// Asks the office; the answer comes when what was asked for is on the disk.
pub(in crate::centre) async fn ask(asks: &Asks, asked: Asked) -> Result<Value, String> {
    let (reply, answer) = oneshot::channel();
    let gone = "the centre has stopped, or decides no applications";
    asks.send(Ask { asked, reply }).map_err(|_gone| gone)?;
    answer.await.map_err(|_gone| gone)?
}

async fn look(State(asks): State<Asks>) -> Response {
    answered(ask(&asks, Asked::Look).await)
}

async fn pay(State(asks): State<Asks>, Query(query): Query<Pay>) -> Response {
    let (order, amount_fen) = (query.order, query.amount_fen);
    let paid = ask(&asks, Asked::Pay { order, amount_fen }).await;
    if query.page && paid.is_ok() {
        Redirect::to("/").into_response()
    } else {
        answered(paid)
    }
}

async fn scan(State(asks): State<Asks>, Query(query): Query<Scan>) -> Response {
    let code = query.code;
    answered(ask(&asks, Asked::Scan { code }).await)
}

async fn give_up(State(asks): State<Asks>, Query(query): Query<GiveUp>) -> Response {
    let order = query.order;
    answered(ask(&asks, Asked::GiveUp { order }).await)
}

async fn window(State(asks): State<Asks>, Query(query): Query<Window>) -> Response {
    let (ticket, result) = (query.ticket, query.result);
    answered(ask(&asks, Asked::Window { ticket, result }).await)
}

async fn faults(State(asks): State<Asks>, Json(faults): Json<OfficeFaults>) -> Response {
    answered(ask(&asks, Asked::Faults(faults)).await)
}

async fn front(State(asks): State<Asks>) -> Response {
    match ask(&asks, Asked::Look).await {
        Ok(seen) => {
            let policy = (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
            );
            ([policy], Html(html(&seen))).into_response()
        }
        Err(why) => answered(Err(why)),
    }
}

fn answered(answer: Result<Value, String>) -> Response {
    match answer {
        Ok(value) => Json(value).into_response(),
        Err(why) => (StatusCode::CONFLICT, format!("{why}\n")).into_response(),
    }
}

fn html(seen: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"3\"><title>演示：市民的手机 The citizen's phone</title>\
         <style>body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:50rem}td,th{padding:.3rem .8rem;text-align:left}</style></head>\
         <body><h1>市民的手机 <small>The citizen's phone (demonstration)</small></h1><h2>短信 Messages</h2><ul>",
    );
    for message in list(seen, "phone") {
        let (phone, text) = (text(message, "phone"), text(message, "text"));
        write!(page, "<li><strong>{phone}</strong> {text}</li>").unwrap_or_default();
    }
    page.push_str("</ul><h2>待缴费 Orders</h2><table>");
    for order in list(seen, "orders") {
        let id = text(order, "order");
        let (amount, way) = (text(order, "amount"), text(order, "way"));
        let state = if order.get("confirmed") == Some(&Value::Bool(true)) {
            "已缴 paid".to_owned()
        } else {
            format!(
                "<form method=\"post\" action=\"/pay?order={id}&amp;page=true\"><button>缴费 pay</button></form>"
            )
        };
        write!(
            page,
            "<tr><td>{id}</td><td>{amount}</td><td>{way}</td><td>{state}</td></tr>"
        )
        .unwrap_or_default();
    }
    page.push_str("</table></body></html>");
    page
}

fn list<'a>(seen: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    seen.get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(value: &Value, name: &str) -> String {
    escaped(value.get(name).and_then(Value::as_str).unwrap_or_default())
}
