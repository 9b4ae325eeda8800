//! Modbus RTU as a device speaks it (Modbus over Serial Line 1.02): frames of unit, PDU and CRC, told apart by their length and by
//! silence, and the ways in which such a line fails. Written from the specification rather than with the adapter's library, so that
//! each is the other's check.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};
use tokio_modbus::{ExceptionCode, Request, Response};

use crate::faults::Faults;

/// A way in which a line of RTU frames fails, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineFault {
    /// The answer's CRC is wrong.
    BadCrc,
    /// The answer ends in the middle.
    HalfFrame,
    /// There is no answer.
    Silence,
    /// The answer comes from another unit.
    OtherUnit,
    /// The answer comes when nobody waits for it any more.
    Late,
    /// The answer is that to a read of another length.
    OtherLength,
}

/// How long an answer of [`LineFault::Late`] takes.
pub const LATE: Duration = Duration::from_millis(400);
/// After so much silence what has come is a frame, or rubbish.
const SILENCE: Duration = Duration::from_millis(40);
/// The unit that the simulated dispenser answers to.
pub const UNIT: u8 = 1;
/// Longest frame.
const FRAME_LEN_MAX: usize = 256;

/// What a device answers: a response, an exception, or nothing.
pub(super) type Answer = Result<Option<Response>, ExceptionCode>;

/// CRC-16 of Modbus: polynomial A001 reflected, beginning with FFFF; sent low byte first.
pub fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xA001
            } else {
                crc >> 1
            }
        })
    })
}

/// Unit and PDU with their CRC.
pub fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = vec![unit];
    frame.extend_from_slice(pdu);
    frame.extend(crc(&frame).to_le_bytes());
    frame
}

/// Answers the requests to `unit` on `line` until it ends.
pub(super) async fn speak<T>(
    line: &mut T,
    unit: u8,
    faults: &Faults<LineFault>,
    answer: impl Fn(Request<'static>) -> io::Result<Answer>,
) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut held: Vec<u8> = Vec::new();
    let mut buffer = [0; FRAME_LEN_MAX];
    loop {
        let read = line.read(&mut buffer);
        let len = if held.is_empty() {
            read.await?
        } else if let Ok(len) = timeout(SILENCE, read).await {
            len?
        } else {
            held.clear();
            continue;
        };
        if len == 0 {
            return Ok(());
        }
        held.extend_from_slice(buffer.get(..len).unwrap_or_default());
        while let Some(request) = take_request(&mut held) {
            if request.unit == unit {
                let said = pdu_of(request.function, answer(request.of)?);
                if let Some(pdu) = said {
                    say(line, unit, pdu, faults).await?;
                }
            }
        }
    }
}

/// A request that came whole.
struct Heard {
    unit: u8,
    function: u8,
    of: Request<'static>,
}

/// Takes the first whole request; drops what is none.
fn take_request(held: &mut Vec<u8>) -> Option<Heard> {
    let len = match held.as_slice() {
        [_, 0x01..=0x06, ..] => 8,
        [_, 0x0F | 0x10, _, _, _, _, bytes, ..] => 9 + usize::from(*bytes),
        [_, 0x0F | 0x10, ..] | [_] | [] => return None,
        // Of unknown length: what is held, when its CRC fits.
        _ => held.len(),
    };
    if held.len() < len {
        return None;
    }
    let whole: Vec<u8> = held.drain(..len).collect();
    let heard = match whole.as_slice() {
        [body @ .., low, high] if crc(body) == u16::from_le_bytes([*low, *high]) => body,
        _ => {
            held.clear();
            return None;
        }
    };
    let [unit, pdu @ ..] = heard else { return None };
    Some(Heard {
        unit: *unit,
        function: *pdu.first()?,
        of: request(pdu),
    })
}

/// The request of a PDU; one of an unknown function where it is none that the device has.
fn request(pdu: &[u8]) -> Request<'static> {
    let word = |high: &u8, low: &u8| u16::from_be_bytes([*high, *low]);
    match pdu {
        [0x01, a, b, c, d] => Request::ReadCoils(word(a, b), word(c, d)),
        [0x02, a, b, c, d] => Request::ReadDiscreteInputs(word(a, b), word(c, d)),
        [0x03, a, b, c, d] => Request::ReadHoldingRegisters(word(a, b), word(c, d)),
        [0x04, a, b, c, d] => Request::ReadInputRegisters(word(a, b), word(c, d)),
        [0x05, a, b, on, 0] => Request::WriteSingleCoil(word(a, b), *on == 0xFF),
        [0x06, a, b, c, d] => Request::WriteSingleRegister(word(a, b), word(c, d)),
        [0x10, a, b, c, d, _, bytes @ ..] if bytes.len() == 2 * usize::from(word(c, d)) => {
            let words = bytes.chunks_exact(2).map(|pair| match pair {
                [high, low] => word(high, low),
                _ => 0,
            });
            Request::WriteMultipleRegisters(word(a, b), words.collect::<Vec<_>>().into())
        }
        _ => Request::Custom(pdu.first().copied().unwrap_or(0), Vec::new().into()),
    }
}

/// The PDU of an answer; none where there is none.
fn pdu_of(function: u8, answer: Answer) -> Option<Vec<u8>> {
    let mut pdu = vec![function];
    match answer {
        Err(exception) => return Some(vec![function | 0x80, exception.into()]),
        Ok(Some(Response::ReadInputRegisters(words) | Response::ReadHoldingRegisters(words))) => {
            pdu.push(u8::try_from(2 * words.len()).ok()?);
            pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
        }
        Ok(Some(Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits))) => {
            pdu.push(u8::try_from(bits.len().div_ceil(8)).ok()?);
            pdu.extend(bits.chunks(8).map(|bits| {
                let low_first = bits.iter().rev();
                low_first.fold(0, |byte, bit| byte << 1 | u8::from(*bit))
            }));
        }
        Ok(Some(Response::WriteSingleCoil(at, on))) => {
            pdu.extend(at.to_be_bytes());
            pdu.extend(if on { [0xFF, 0] } else { [0, 0] });
        }
        Ok(Some(
            Response::WriteSingleRegister(at, value) | Response::WriteMultipleRegisters(at, value),
        )) => {
            pdu.extend(at.to_be_bytes());
            pdu.extend(value.to_be_bytes());
        }
        Ok(Some(_) | None) => return None,
    }
    Some(pdu)
}

async fn say<T: AsyncWrite + Unpin>(
    line: &mut T,
    unit: u8,
    mut pdu: Vec<u8>,
    faults: &Faults<LineFault>,
) -> io::Result<()> {
    if faults.take(LineFault::Silence) {
        return Ok(());
    }
    if faults.take(LineFault::Late) {
        sleep(LATE).await;
    }
    let is_other = faults.take(LineFault::OtherUnit);
    if let [0x04, len, words @ ..] = pdu.as_slice()
        && faults.take(LineFault::OtherLength)
    {
        let mut longer = vec![0x04, len.saturating_add(2)];
        longer.extend_from_slice(words);
        longer.extend([0, 0]);
        pdu = longer;
    }
    let mut bytes = frame(unit.wrapping_add(u8::from(is_other)), &pdu);
    if faults.take(LineFault::BadCrc)
        && let Some(last) = bytes.last_mut()
    {
        *last ^= 0x55;
    }
    if faults.take(LineFault::HalfFrame) {
        bytes.truncate(bytes.len() / 2);
    }
    line.write_all(&bytes).await?;
    line.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        text.split(' ')
            .filter_map(|byte| u8::from_str_radix(byte, 16).ok())
            .collect()
    }

    /// G1: the frames of published examples, their CRC low byte first, are read and written.
    #[test]
    fn g1_frames_are_those_of_the_specification() {
        for (text, wanted) in [
            (
                "01 03 00 00 00 0A C5 CD",
                Request::ReadHoldingRegisters(0, 10),
            ),
            (
                "01 04 00 00 00 10 F1 C6",
                Request::ReadInputRegisters(0, 16),
            ),
            (
                "01 06 00 10 00 01 49 CF",
                Request::WriteSingleRegister(16, 1),
            ),
            ("01 05 00 00 FF 00 8C 3A", Request::WriteSingleCoil(0, true)),
            (
                "11 03 00 6B 00 03 76 87",
                Request::ReadHoldingRegisters(107, 3),
            ),
            (
                "01 10 00 10 00 04 08 00 01 00 2A 00 00 00 03 3E 82",
                Request::WriteMultipleRegisters(16, vec![1, 42, 0, 3].into()),
            ),
        ] {
            let mut held = bytes(text);
            let heard = take_request(&mut held);
            assert_eq!(heard.map(|heard| heard.of), Some(wanted), "{text}");
            let whole = bytes(text);
            let [unit, pdu @ .., _, _] = whole.as_slice() else {
                continue;
            };
            assert_eq!(frame(*unit, pdu), whole, "{text}");
        }
        for (text, function, code) in [
            ("01 83 02 C0 F1", 3, ExceptionCode::IllegalDataAddress),
            ("01 90 03 0C 01", 16, ExceptionCode::IllegalDataValue),
        ] {
            let pdu = pdu_of(function, Err(code)).unwrap_or_default();
            assert_eq!(frame(1, &pdu), bytes(text));
        }
    }

    /// G1: half a frame waits for its rest, and a wrong CRC is no request.
    #[test]
    fn g1_what_is_no_frame_is_no_request() {
        let whole = bytes("01 04 00 00 00 10 F1 C6");
        for len in 0..whole.len() {
            let mut held = whole.get(..len).unwrap_or_default().to_vec();
            assert!(take_request(&mut held).is_none());
        }
        let mut held = bytes("01 04 00 00 00 11 F1 C6");
        assert!(take_request(&mut held).is_none());
        assert!(held.is_empty());
    }
}
