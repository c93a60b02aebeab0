//! A server of a few lines on the loopback address: what a test wants answered, and what came in.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// Host and port that were asked for.
    pub(crate) host: String,
    /// All header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What to send back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    status: u16,
    /// Whole header lines.
    headers: Vec<String>,
    body: Vec<u8>,
    raw: Option<Raw>,
}

/// What is sent in the place of an answer, byte for byte.
#[derive(Debug, Clone)]
struct Raw {
    first: Vec<u8>,
    /// Sent after each pause until the client hangs up.
    again: Vec<u8>,
    pause: Duration,
}

impl Answer {
    pub(crate) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, headers: Vec::new(), body: body.into(), raw: None }
    }

    /// These bytes, head and all, then others again and again until the client hangs up.
    pub(crate) fn endless(first: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>, pause: Duration) -> Self {
        let raw = Raw { first: first.into(), again: again.into(), pause };
        Self { raw: Some(raw), ..Self::ok("") }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::ok("") }
    }

    pub(crate) fn of_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }
}

/// Serves until the test program ends.
#[derive(Debug)]
pub(crate) struct TinyServer {
    scheme: &'static str,
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    sent: Arc<AtomicU64>,
}

impl TinyServer {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Self {
        Self::start_over("http", |stream| stream, answer)
    }

    /// One whose connections are wrapped, in TLS for example.
    pub(crate) fn start_over<S: Read + Write>(
        scheme: &'static str,
        wrap: impl Fn(TcpStream) -> S + Send + 'static,
        answer: impl Fn(&Asked) -> Answer + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let sent = Arc::new(AtomicU64::new(0));
        let (log, count) = (Arc::clone(&asked), Arc::clone(&sent));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that breaks off is the client's business.
                drop(serve(wrap(stream), &answer, &log, &count));
            }
        });
        Self { scheme, port, asked, sent }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// Everything that came in so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many bytes went out so far, those included that no client has read.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

fn serve<S: Read + Write>(
    stream: S,
    answer: &impl Fn(&Asked) -> Answer,
    log: &Mutex<Vec<Asked>>,
    count: &AtomicU64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let mut asked = Asked {
        method: words.next().unwrap_or_default(),
        path: words.next().unwrap_or_default(),
        ..Asked::default()
    };
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { continue };
        asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    asked.host = asked.header("host").unwrap_or_default().to_owned();
    let length = asked.header("content-length").and_then(|length| length.parse().ok());
    asked.body.resize(length.unwrap_or(0), 0);
    reader.read_exact(&mut asked.body)?;
    log.lock().unwrap().push(asked.clone());
    let answer = answer(&asked);
    let mut stream = reader.into_inner();
    if let Some(Raw { first, again, pause }) = answer.raw {
        write(&mut stream, &first, count)?;
        loop {
            thread::sleep(pause);
            write(&mut stream, &again, count)?;
        }
    }
    let Answer { status, headers, body, .. } = answer;
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n");
    write(&mut stream, head.as_bytes(), count)?;
    write(&mut stream, &body, count)
}

fn write(stream: &mut impl Write, bytes: &[u8], count: &AtomicU64) -> std::io::Result<()> {
    for part in bytes.chunks(64 << 10) {
        stream.write_all(part)?;
        count.fetch_add(part.len() as u64, Ordering::SeqCst);
    }
    stream.flush()
}
