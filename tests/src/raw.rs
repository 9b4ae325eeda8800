//! An MQTT client down to the byte: enough of 3.1.1 and 5 to say what no well-behaved library would,
//! and to see which packet is acknowledged when.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A packet as it came: type and flags, then the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub first: u8,
    pub body: Vec<u8>,
}

impl Packet {
    /// The packet type, 1 to 15.
    pub fn kind(&self) -> u8 {
        self.first >> 4
    }

    /// The packet id of an acknowledgement.
    pub fn id(&self) -> u16 {
        u16::from_be_bytes([self.body[0], self.body[1]])
    }

    /// The reason code of an acknowledgement of MQTT 5; 0 where it is left out.
    pub fn reason(&self) -> u8 {
        self.body.get(2).copied().unwrap_or(0)
    }

    /// Topic, packet id (QoS above 0) and payload of a PUBLISH.
    pub fn publish(&self, v5: bool) -> (String, Option<u16>, &[u8]) {
        let len = usize::from(u16::from_be_bytes([self.body[0], self.body[1]]));
        let topic = String::from_utf8(self.body[2..2 + len].to_vec()).unwrap();
        let mut rest = &self.body[2 + len..];
        let id = (self.first & 6 != 0).then(|| {
            let id = u16::from_be_bytes([rest[0], rest[1]]);
            rest = &rest[2..];
            id
        });
        if v5 {
            let (len, used) = varint(rest).unwrap();
            rest = &rest[used + len..];
        }
        (topic, id, rest)
    }
}

fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    out.extend(text.as_bytes());
}

/// A packet's bytes from its first byte and its body.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    let mut len = body.len();
    loop {
        let byte = (len % 128) as u8;
        len /= 128;
        out.push(if len > 0 { byte | 0x80 } else { byte });
        if len == 0 {
            break;
        }
    }
    out.extend(body);
    out
}

/// How to connect.
#[derive(Debug, Clone)]
pub struct Hello<'a> {
    pub client_id: &'a str,
    pub v5: bool,
    pub clean: bool,
    /// Topic and payload of the last will, QoS 1, retained.
    pub will: Option<(String, Vec<u8>)>,
}

impl<'a> Hello<'a> {
    /// MQTT 5, clean, without a will.
    pub fn v5(client_id: &'a str) -> Self {
        Self {
            client_id,
            v5: true,
            clean: true,
            will: None,
        }
    }

    /// MQTT 3.1.1, clean, without a will.
    pub fn v311(client_id: &'a str) -> Self {
        Self {
            client_id,
            v5: false,
            clean: true,
            will: None,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_text(&mut body, "MQTT");
        body.push(if self.v5 { 5 } else { 4 });
        let will = if self.will.is_some() {
            0x04 | 0x08 | 0x20
        } else {
            0
        };
        body.push(will | if self.clean { 2 } else { 0 });
        body.extend(60u16.to_be_bytes());
        if self.v5 {
            // Session expiry interval: an hour where the session is to stay.
            let expiry: u32 = if self.clean { 0 } else { 3600 };
            body.push(5);
            body.push(0x11);
            body.extend(expiry.to_be_bytes());
        }
        put_text(&mut body, self.client_id);
        if let Some((topic, payload)) = &self.will {
            if self.v5 {
                body.push(0);
            }
            put_text(&mut body, topic);
            body.extend(u16::try_from(payload.len()).unwrap().to_be_bytes());
            body.extend(payload);
        }
        packet(0x10, &body)
    }
}

/// A connection.
#[derive(Debug)]
pub struct Raw {
    stream: TcpStream,
    pub v5: bool,
    last_id: u16,
}

impl Raw {
    /// Opens a connection without saying anything.
    pub fn open(addr: SocketAddr) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&addr, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        Ok(stream)
    }

    /// Connects; the CONNACK must accept.
    pub fn connect(addr: SocketAddr, hello: &Hello<'_>) -> std::io::Result<Self> {
        let mut raw = Self {
            stream: Self::open(addr)?,
            v5: hello.v5,
            last_id: 0,
        };
        raw.send(&hello.bytes())?;
        let connack = raw.read()?;
        if connack.kind() == 2 && connack.body.get(1) == Some(&0) {
            Ok(raw)
        } else {
            Err(std::io::Error::other(format!("refused: {connack:?}")))
        }
    }

    pub fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    pub fn set_patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).unwrap();
    }

    pub fn read(&mut self) -> std::io::Result<Packet> {
        let mut first = [0];
        self.stream.read_exact(&mut first)?;
        let mut head = Vec::new();
        let len = loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.push(byte[0]);
            if let Some((len, _)) = varint(&head) {
                break len;
            }
        };
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(Packet {
            first: first[0],
            body,
        })
    }

    /// Sends a PUBLISH with QoS 1 and gives its packet id.
    pub fn publish(&mut self, topic: &str, payload: &[u8]) -> std::io::Result<u16> {
        self.publish_with(topic, payload, false)
    }

    pub fn publish_with(
        &mut self,
        topic: &str,
        payload: &[u8],
        retain: bool,
    ) -> std::io::Result<u16> {
        self.last_id = if self.last_id == u16::MAX {
            1
        } else {
            self.last_id + 1
        };
        let mut body = Vec::with_capacity(payload.len() + topic.len() + 8);
        put_text(&mut body, topic);
        body.extend(self.last_id.to_be_bytes());
        if self.v5 {
            body.push(0);
        }
        body.extend(payload);
        self.send(&packet(0x32 | u8::from(retain), &body))?;
        Ok(self.last_id)
    }

    /// Publishes and waits for the acknowledgement; other packets that come meanwhile are dropped.
    pub fn publish_acked(&mut self, topic: &str, payload: &[u8]) -> std::io::Result<u8> {
        let id = self.publish(topic, payload)?;
        loop {
            let packet = self.read()?;
            if packet.kind() == 4 && packet.id() == id {
                return Ok(packet.reason());
            }
        }
    }

    pub fn subscribe(&mut self, filter: &str) -> std::io::Result<u8> {
        self.last_id += 1;
        let mut body = self.last_id.to_be_bytes().to_vec();
        if self.v5 {
            body.push(0);
        }
        put_text(&mut body, filter);
        body.push(1);
        self.send(&packet(0x82, &body))?;
        loop {
            let packet = self.read()?;
            if packet.kind() == 9 {
                return Ok(*packet.body.last().unwrap());
            }
        }
    }

    pub fn puback(&mut self, id: u16) -> std::io::Result<()> {
        self.send(&packet(0x40, &id.to_be_bytes()))
    }

    pub fn ping(&mut self) -> std::io::Result<()> {
        self.send(&[0xc0, 0])?;
        loop {
            if self.read()?.kind() == 13 {
                return Ok(());
            }
        }
    }
}
