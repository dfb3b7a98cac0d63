//! A client for one request at a time to a server on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::failure::{Failure, Outcome, While};

const PATIENCE: Duration = Duration::from_secs(60);

/// What a server answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// What is asked of a server.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path, with a query where there is one.
    pub path: &'a str,
    /// The bearer token.
    pub token: &'a str,
    /// The body; empty for `GET`.
    pub json: &'a str,
}

/// Asks, and waits for the answer.
pub fn ask(address: SocketAddr, request: Request<'_>) -> Outcome<Answer> {
    let Request { method, path, token, json } = request;
    let doing = || format!("{method} http://{address}{path}");
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).while_doing(doing)?;
    stream.set_read_timeout(Some(PATIENCE)).while_doing(doing)?;
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
        json.len()
    );
    stream.write_all(text.as_bytes()).while_doing(doing)?;
    read_answer(&mut BufReader::new(stream)).while_doing(doing)
}

fn read_answer(stream: &mut impl BufRead) -> Outcome<Answer> {
    let mut line = String::new();
    let broken = |error: std::io::Error| Failure::new(format!("the answer broke off: {error}"));
    stream.read_line(&mut line).map_err(broken)?;
    let status = line.split(' ').nth(1).and_then(|word| word.parse().ok());
    let status = status.ok_or_else(|| Failure::new(format!("not an HTTP answer: {:?}", line.trim_end())))?;
    let mut length = None;
    let mut chunked = false;
    loop {
        line.clear();
        if stream.read_line(&mut line).map_err(broken)? == 0 || line.trim().is_empty() {
            break;
        }
        let lower = line.trim().to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse::<u64>().ok();
        }
        chunked |= lower.starts_with("transfer-encoding:") && lower.ends_with("chunked");
    }
    let mut body = Vec::new();
    if chunked {
        read_chunks(stream, &mut body).map_err(broken)?;
    } else {
        stream.take(length.unwrap_or(u64::MAX)).read_to_end(&mut body).map_err(broken)?;
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
        if size == 0 {
            return Ok(());
        }
        stream.take(size).read_to_end(body)?;
        stream.read_line(&mut line)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, status: u16, body: &str) {
        let answer = read_answer(&mut text.as_bytes()).expect(text);
        assert_eq!(answer, Answer { status, body: body.to_owned() }, "{text:?}");
    }

    #[test]
    fn answers_are_read_in_every_form() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}trailing", 200, "{}");
        check("HTTP/1.1 404 Not Found\r\n\r\nno", 404, "no");
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200, "abc");
        check("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n", 204, "");
    }

    #[test]
    fn what_is_no_answer_is_said() {
        let failure = read_answer(&mut "SSH-2.0\r\n".as_bytes()).expect_err("no status");
        assert_eq!(failure.to_string(), "not an HTTP answer: \"SSH-2.0\"");
    }
}
