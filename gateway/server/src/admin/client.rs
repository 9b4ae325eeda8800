//! The other end of the admin socket, for the commands: blocking calls over one connection.

use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, Bytes};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;
use tokio::runtime::Runtime;

/// A station that runs.
#[derive(Debug)]
pub struct Client {
    runtime: Runtime,
    requests: SendRequest<Full<Bytes>>,
    socket: PathBuf,
}

/// Why the station did not answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no station at the other end.
    #[error("no station answers at the admin socket")]
    Absent(#[source] std::io::Error),
    /// The connection broke.
    #[error("the connection to the station broke")]
    Broken(#[from] hyper::Error),
    /// The station said no.
    #[error("the station says: {0}")]
    Refused(String),
    /// The station runs another version of this program.
    #[error("the station's answer is not understood: it may run another version")]
    Answer(#[from] serde_json::Error),
    /// No runtime.
    #[error("cannot wait for an answer")]
    Io(#[from] std::io::Error),
}

impl Client {
    /// Connects.
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let requests = runtime.block_on(async {
            let stream = UnixStream::connect(socket)
                .await
                .map_err(ClientError::Absent)?;
            let (requests, connection) = handshake(TokioIo::new(stream)).await?;
            tokio::spawn(connection);
            Ok::<_, ClientError>(requests)
        })?;
        Ok(Self {
            runtime,
            requests,
            socket: socket.to_owned(),
        })
    }

    /// Where it is connected to.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Why the station cannot read an event of its log; none where it can, or says nothing about it.
    pub fn unreadable(&mut self, index: u64) -> Result<Option<String>, ClientError> {
        let path = format!("/events?from={index}&to={}", index.saturating_add(1));
        let response = self.request(Method::GET, &path)?;
        if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
            return Ok(None);
        }
        match self.body_of(response) {
            Err(ClientError::Refused(why)) => Ok(Some(why)),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The JSON of an answer.
    pub fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let text = self.call(Method::GET, path)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The text of an answer.
    pub fn get_text(&mut self, path: &str) -> Result<String, ClientError> {
        let bytes = self.call(Method::GET, path)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The bytes of an answer.
    pub fn get_bytes(&mut self, path: &str) -> Result<Bytes, ClientError> {
        self.call(Method::GET, path)
    }

    /// Has something done; the JSON of the answer.
    pub fn post<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let text = self.call(Method::POST, path)?;
        Ok(serde_json::from_slice(&text)?)
    }

    /// The same with something to say, as JSON.
    pub fn post_json<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        let response = self.send(Method::POST, path, body)?;
        Ok(serde_json::from_slice(&self.body_of(response)?)?)
    }

    /// An answer to be read on, however long.
    pub fn stream(mut self, path: &str) -> Result<impl Read + Send + use<>, ClientError> {
        let response = self.request(Method::GET, path)?;
        if response.status() != StatusCode::OK {
            return Err(ClientError::Refused(response.status().to_string()));
        }
        Ok(Stream {
            client: self,
            body: response.into_body(),
            rest: Bytes::new(),
        })
    }

    fn call(&mut self, method: Method, path: &str) -> Result<Bytes, ClientError> {
        let response = self.request(method, path)?;
        self.body_of(response)
    }

    fn body_of(&mut self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        let status = response.status();
        let body = self
            .runtime
            .block_on(response.into_body().collect())?
            .to_bytes();
        if status.is_success() {
            Ok(body)
        } else {
            let text = String::from_utf8_lossy(&body);
            Err(ClientError::Refused(text.trim_end().to_owned()))
        }
    }

    fn request(&mut self, method: Method, path: &str) -> Result<Response<Incoming>, ClientError> {
        self.send(method, path, Bytes::new())
    }

    fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>, ClientError> {
        // Paths are made of checked parts by the commands.
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(hyper::header::HOST, "station")
            .header(hyper::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| ClientError::Refused(error.to_string()))?;
        Ok(self.runtime.block_on(self.requests.send_request(request))?)
    }
}

/// The body of an answer, read on demand.
struct Stream {
    client: Client,
    body: Incoming,
    rest: Bytes,
}

impl Read for Stream {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.rest.is_empty() {
            let frame = self.client.runtime.block_on(self.body.frame());
            match frame {
                None => return Ok(0),
                Some(Ok(frame)) => self.rest = frame.into_data().unwrap_or_default(),
                Some(Err(error)) => return Err(std::io::Error::other(error)),
            }
        }
        let len = out.len().min(self.rest.len());
        for (to, from) in out.iter_mut().zip(&self.rest) {
            *to = *from;
        }
        self.rest.advance(len);
        Ok(len)
    }
}
