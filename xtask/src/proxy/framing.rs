//! Where one WebSocket frame ends and the next begins, in one direction of a connection (RFC 6455, section 5.2).

use super::Direction;

const HEAD_MAX: usize = 64 * 1024;
const BINARY: u8 = 0x82;
const MASKED: u8 = 0x80;

/// A place in a stream of bytes.
///
/// ```text
/// Head -- blank line, upgraded --> Header <--> Payload
///   \---- blank line, plain ----> Plain
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum Framing {
    /// In the head of the HTTP request or answer, of which these bytes have come.
    Head(Vec<u8>),
    /// In HTTP that was not upgraded; it has no frames.
    Plain,
    /// In a frame's header, of which these bytes have come; none of them means between two frames.
    Header(Vec<u8>),
    /// In a frame's payload, of which so many bytes are still to come.
    Payload(u64),
}

impl Default for Framing {
    fn default() -> Framing {
        Framing::Head(Vec::new())
    }
}

impl Framing {
    /// Whether the connection was upgraded.
    pub fn is_websocket(&self) -> bool {
        matches!(self, Framing::Header(_) | Framing::Payload(_))
    }

    /// Whether a forged frame may go here.
    pub fn is_between_frames(&self) -> bool {
        matches!(self, Framing::Header(bytes) if bytes.is_empty())
    }

    /// Moves to the end of the present head, header or payload, or of `bytes`, and says how far that was (at least one
    /// byte where there is one).
    pub fn advance(&mut self, bytes: &[u8]) -> usize {
        match self {
            Framing::Plain => bytes.len(),
            Framing::Payload(left) => {
                let length = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= length as u64;
                if *left == 0 {
                    *self = Framing::Header(Vec::new());
                }
                length
            }
            Framing::Head(head) => {
                let before = head.len();
                head.extend_from_slice(bytes);
                let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
                    if head.len() > HEAD_MAX {
                        *self = Framing::Plain;
                    }
                    return bytes.len();
                };
                *self = if upgrades(&head[..end]) { Framing::Header(Vec::new()) } else { Framing::Plain };
                end - before
            }
            Framing::Header(header) => {
                for (index, byte) in bytes.iter().enumerate() {
                    header.push(*byte);
                    if let Some(length) = payload_length(header) {
                        *self = if length == 0 { Framing::Header(Vec::new()) } else { Framing::Payload(length) };
                        return index + 1;
                    }
                }
                bytes.len()
            }
        }
    }
}

/// One binary message; towards the server it is masked, as the protocol demands, with a mask of zeros.
pub fn binary(direction: Direction, payload: &[u8]) -> Vec<u8> {
    let mask_bit = match direction {
        Direction::Up => MASKED,
        Direction::Down => 0,
    };
    let mut frame = vec![BINARY];
    if let Some(short) = u8::try_from(payload.len()).ok().filter(|length| *length < 126) {
        frame.push(mask_bit | short);
    } else if let Ok(medium) = u16::try_from(payload.len()) {
        frame.push(mask_bit | 126);
        frame.extend(medium.to_be_bytes());
    } else {
        frame.push(mask_bit | 127);
        frame.extend((payload.len() as u64).to_be_bytes());
    }
    if direction == Direction::Up {
        frame.extend([0; 4]);
    }
    frame.extend_from_slice(payload);
    frame
}

fn upgrades(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    text.starts_with("http/1.1 101") || text.lines().any(|line| line.replace(' ', "") == "upgrade:websocket")
}

/// The length of the payload, once the header is whole.
fn payload_length(header: &[u8]) -> Option<u64> {
    let second = *header.get(1)?;
    let mask = if second & MASKED == 0 { 0 } else { 4 };
    let (extra, short) = match second & !MASKED {
        127 => (8, 0),
        126 => (2, 0),
        short => (0, u64::from(short)),
    };
    if header.len() < 2 + extra + mask {
        return None;
    }
    let long = header[2..2 + extra].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Some(long + short)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds bytes in runs of `step` and returns after how many bytes the stream was between frames.
    fn boundaries(stream: &[u8], step: usize) -> Vec<usize> {
        let mut framing = Framing::default();
        let (mut at, mut found) = (0, Vec::new());
        for run in stream.chunks(step) {
            let mut rest = run;
            while !rest.is_empty() {
                let length = framing.advance(rest);
                rest = &rest[length..];
                at += length;
                if framing.is_between_frames() {
                    found.push(at);
                }
            }
        }
        found
    }

    #[test]
    fn boundaries_are_found_however_the_bytes_arrive() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        for direction in [Direction::Up, Direction::Down] {
            let mut stream = head.to_vec();
            let mut expected = vec![stream.len()];
            for length in [0, 1, 125, 126, 65_535, 65_536] {
                stream.extend(binary(direction, &vec![7; length]));
                expected.push(stream.len());
            }
            for step in [1, 2, 3, 1000, stream.len()] {
                assert_eq!(boundaries(&stream, step), expected, "in runs of {step}");
            }
        }
    }

    #[test]
    fn a_request_or_an_answer_without_an_upgrade_has_no_frames() {
        assert_eq!(boundaries(b"HTTP/1.1 200 OK\r\n\r\n\x82\x01x", 4), Vec::<usize>::new());
        assert_eq!(boundaries(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", 5), vec![38]);
    }

    #[test]
    fn a_head_without_end_is_not_kept_for_ever() {
        let mut framing = Framing::default();
        framing.advance(&vec![b'x'; HEAD_MAX + 1]);
        assert_eq!(framing, Framing::Plain);
    }
}
