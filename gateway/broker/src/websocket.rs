//! MQTT in WebSocket binary frames (MQTT 5, section 6), as a byte stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Bytes put into one frame at most.
const FRAME_BYTES: usize = 64 * 1_024;

/// A WebSocket as a byte stream.
#[derive(Debug)]
pub(crate) struct WsSocket<S> {
    inner: WebSocketStream<S>,
    unread: Bytes,
}

/// Answers the upgrade. Refused unless the client offers the subprotocol `mqtt`.
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    socket: S,
    packet_bytes_max: u32,
) -> Result<WsSocket<S>, Error> {
    let frame_max = usize::try_from(packet_bytes_max).unwrap_or(usize::MAX);
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1_024)
        .write_buffer_size(0)
        .max_write_buffer_size(4 * FRAME_BYTES)
        .max_message_size(Some(frame_max))
        .max_frame_size(Some(frame_max));
    let inner = accept_hdr_async_with_config(socket, choose_protocol, Some(config)).await?;
    Ok(WsSocket {
        inner,
        unread: Bytes::new(),
    })
}

#[expect(clippy::result_large_err, reason = "the signature is the library's")]
fn choose_protocol(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request.headers().get_all("sec-websocket-protocol").iter();
    let mut names = offered
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','));
    if names.any(|name| name.trim() == "mqtt") {
        let chosen = HeaderValue::from_static("mqtt");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", chosen);
        return Ok(response);
    }
    let mut refusal = ErrorResponse::new(Some("the subprotocol mqtt is required".to_owned()));
    *refusal.status_mut() = StatusCode::BAD_REQUEST;
    Err(refusal)
}

fn failed(error: Error) -> io::Error {
    io::Error::other(error)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WsSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(Message::Binary(data))) => self.unread = data,
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Ok(Message::Text(_))) => {
                    let text = "a text frame, where MQTT is binary";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, text)));
                }
                Some(Err(error)) => return Poll::Ready(Err(failed(error))),
            }
        }
        let len = self.unread.len().min(buffer.remaining());
        buffer.put_slice(self.unread.get(..len).unwrap_or_default());
        self.unread.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WsSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(cx)).map_err(failed)?;
        let len = bytes.len().min(FRAME_BYTES);
        let frame = Bytes::copy_from_slice(bytes.get(..len).unwrap_or_default());
        Pin::new(&mut self.inner)
            .start_send(Message::Binary(frame))
            .map_err(failed)?;
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(failed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(failed)
    }
}
