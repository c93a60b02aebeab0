//! Gates that hear each other with no server: over TCP and by files, and what the command says of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bad_input::fails;
use crate::command::{Finished, at_terminal, in_store, json_of, run, tells_no_secret, text_of};
use crate::door::{Door, not_signed_in, verdicts};
use crate::served::text;
use crate::support::json_lines;

/// `gate listen` while it does.
struct Listening {
    command: Command,
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Listening {
    fn start(gate: &Path, options: &[&str]) -> Self {
        let mut command = in_store(gate, &["gate", "listen", "--json"]);
        command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = text(&serde_json::from_str::<Value>(&line).unwrap()["address"]);
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        Self { command, child, stdout, address }
    }

    /// The next thing that it says.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line:?}: {e}"))
    }

    /// Interrupts it as Ctrl-C does.
    fn interrupt(mut self) -> ExitStatus {
        let script = format!("kill -INT {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Waits for its end.
    fn end(mut self) -> Finished {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        let finished = Finished { code: self.child.wait().unwrap().code(), stdout, stderr };
        tells_no_secret(&self.command, &finished);
        finished
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn connect(gate: &Path, address: &str) -> Command {
    in_store(gate, &["gate", "connect", address, "--timeout", "10"])
}

/// Refusals of codes that nobody knows, each a record.
fn write_records(gate: &Path, name: &str, count: usize) {
    let codes: String = (0..count).map(|n| format!("{name}-{n}\n")).collect();
    assert_eq!(verdicts(gate, &codes).1.len(), count);
}

fn counts(merged: &Value) -> [u64; 4] {
    ["added", "repeated", "admissions", "sent"].map(|name| merged[name].as_u64().unwrap())
}

/// The doors of a ticket's entries, by name, and how many of these are extra: clocks of two gates differ by up to a second,
/// so that either may be the later one.
fn doors(double: &Value) -> (Vec<String>, usize) {
    let entries = double["entries"].as_array().unwrap();
    let mut doors: Vec<_> = entries.iter().map(|one| text(&one["door"])).collect();
    doors.sort();
    (doors, entries.iter().filter(|one| one["is_extra"] == true).count())
}

#[test]
fn two_gates_that_met_name_the_double_entry_and_let_in_no_third_time() {
    let door = Door::open();
    let (north, east) = (door.path(), door.another("East door"));
    let east = east.path();
    let admitted = verdicts(north, &(door.shown() + "\n")).1;
    assert_eq!(admitted[0]["verdict"], "Admit");
    let also = verdicts(east, &door.next_shown()).1;
    assert_eq!((&also[0]["verdict"], &also[0]["certainty"]["peers"]), (&json!("Admit"), &json!(0)));
    assert_eq!(also[0]["certainty"]["newest_peer_age_s"], Value::Null);

    let mut listening = Listening::start(north, &[]);
    let merged = run(connect(east, &listening.address).arg("--json"), b"").json();
    assert_eq!((counts(&merged), &merged["peer"]), ([1, 0, 1, 1], &json!(listening.address)));
    let doubles = merged["double_entries"].as_array().unwrap();
    assert_eq!((doubles.len(), &doubles[0]["ticket"]), (1, &json!(door.ticket)));
    assert_eq!(doors(&doubles[0]), (vec!["East door".to_owned(), "North door".to_owned()], 1));
    let there = listening.next();
    assert_eq!((counts(&there), &there["double_entries"]), ([1, 0, 1, 1], &merged["double_entries"]));
    let ended = listening.end();
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));

    // Both say the same, and refuse the third.
    let third = door.next_shown();
    let known = ["double_entries", "entered", "records", "forks", "missing", "discounted", "unprovable"];
    let reports = [north, east].map(|gate| json_of(gate, &["gate", "report"]));
    assert!(known.iter().all(|name| reports[0][name] == reports[1][name]), "{reports:?}");
    assert_eq!((&reports[0]["entered"], &reports[0]["records"]), (&json!(2), &json!(2)));
    for gate in [north, east] {
        let said = verdicts(gate, &third).1;
        let certainty = &said[0]["certainty"];
        assert_eq!((&said[0]["verdict"], &certainty["peers"]), (&json!("AlreadyAdmitted"), &json!(1)));
        assert!(certainty["newest_peer_age_s"].as_i64().is_some_and(|age| (0..600).contains(&age)));
        assert_eq!(certainty["oldest_peer_age_s"], certainty["newest_peer_age_s"]);
    }
    let line = run(&mut in_store(east, &["gate", "scan"]), b"wristband\n").stdout;
    assert!(line.contains(" · 1 other gate heard, ") && line.contains(" ago · record "), "{line}");
    let stats = json_of(east, &["gate", "stats"]);
    assert_eq!(
        (&stats["peers"][0]["door"], stats["peers"].as_array().unwrap().len()),
        (&json!("North door"), 1)
    );
    assert!(stats["peers"][0]["age_s"].as_i64().is_some_and(|age| (0..600).contains(&age)), "{stats}");
    assert!(text_of(east, &["gate", "stats"]).contains("Heard: North door"));
    let shown = text_of(north, &["gate", "report"]);
    for part in
        ["Tickets that let in too often", "North door", "East door", "one too many", "this gate", " ago)"]
    {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    assert!(!shown.contains("do not count") && !shown.contains("not here"), "{shown}");
}

#[test]
fn a_listener_that_stays_serves_one_after_the_other_and_minds_no_stranger() {
    let door = Door::open();
    let (north, east, south) = (door.path(), door.another("East door"), door.another("South door"));
    write_records(east.path(), "east", 2);
    write_records(south.path(), "south", 3);
    let mut listening = Listening::start(north, &["--keep"]);
    let mut stranger = TcpStream::connect(&listening.address).unwrap();
    stranger.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let said = listening.next();
    assert_eq!(said["error"], json!({ "code": "invalid_input", "reason": "what speaks there is no gate" }));
    assert_eq!(said["peer"], stranger.local_addr().unwrap().to_string());
    // One that says nothing holds up nobody.
    let silent = TcpStream::connect(&listening.address).unwrap();
    let address = listening.address.clone();
    let done = run(connect(east.path(), &address).arg("--json"), b"").json();
    assert_eq!((counts(&done), counts(&listening.next())), ([0, 0, 0, 2], [2, 0, 0, 0]));
    // The third gate hears of the second by the first.
    let done = run(&mut connect(south.path(), &address), b"").text();
    assert!(
        done.starts_with(&format!("{address}: records handed out: 3. New records: 2, of them 0")),
        "{done}"
    );
    assert_eq!(counts(&listening.next()), [3, 0, 0, 2]);
    let again = run(connect(south.path(), &address).arg("--json"), b"").json();
    assert_eq!((counts(&again), counts(&listening.next())), ([0; 4], [0; 4]));
    drop(silent);
    assert_eq!(listening.next()["error"]["code"], "unreachable");
    assert!(listening.interrupt().success());
    assert_eq!(json_of(south.path(), &["gate", "report"])["scanners"].as_array().unwrap().len(), 3);
}

/// A server that a gate may take for another one: does this with each of its connections.
fn peer(speak: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || listener.incoming().for_each(|stream| speak(stream.unwrap())));
    address
}

fn frame(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_be_bytes(), body].concat()
}

/// Reads what comes, and hangs up after the other side has.
fn drain(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    drop(stream.read_to_end(&mut Vec::new()));
}

#[test]
fn what_is_no_gate_is_told_from_one_that_has_gone() {
    let door = Door::open();
    let gate = door.path();
    let told = |address: &str, code, name| fails(|| connect(gate, address), b"", code, name);
    assert!(told("nowhere", 2, "invalid_input").contains("no address"));
    let line = told("127.0.0.1:1", 3, "unreachable");
    assert!(line.contains("no gate can be reached at 127.0.0.1:1"), "{line}");
    let answers: [(&[u8], i32, &str, &str); 6] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", 2, "invalid_input", "is no gate"),
        (&frame(b"rubbish"), 2, "invalid_input", "does not hold"),
        (&frame(b""), 2, "invalid_input", "does not hold"),
        (&frame(b"TWN1\x1b[31mbusy\n"), 4, "refused", "does not answer: [31mbusy"),
        (&frame(b"TWL1")[..6], 3, "unreachable", "too early"),
        (b"", 3, "unreachable", "too early"),
    ];
    for (answer, code, name, part) in answers {
        let answer = answer.to_vec();
        let address = peer(move |mut stream| {
            stream.write_all(&answer).unwrap();
            drain(stream);
        });
        let line = told(&address, code, name);
        assert!(line.contains(part), "{line:?}");
    }
    let address =
        peer(|stream| thread::sleep(Duration::from_secs(60 + u64::from(stream.ttl().unwrap() == 0))));
    let silent = || in_store(gate, &["gate", "connect", &address, "--timeout", "1"]);
    assert!(fails(silent, b"", 3, "unreachable").contains("said nothing for 1 s"));
    // Nor does a listener answer what is no request.
    for (said, code, name) in [
        (&frame(b"rubbish")[..], 2, "invalid_input"),
        (b"\xff\xff\xff\xff", 2, "invalid_input"),
        (b"\0", 3, "unreachable"),
    ] {
        let listening = Listening::start(gate, &[]);
        let mut stream = TcpStream::connect(&listening.address).unwrap();
        stream.write_all(said).unwrap();
        drain(stream);
        let line = listening.end();
        assert_eq!(serde_json::from_str::<Value>(line.failed(code)).unwrap()["error"]["code"], name);
    }
    let listening = Listening::start(gate, &["--timeout", "1"]);
    let silent = TcpStream::connect(&listening.address).unwrap();
    assert!(listening.end().failed(3).contains("said nothing for 1 s"));
    drop(silent);
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = held.local_addr().unwrap().to_string();
    fails(|| in_store(gate, &["gate", "listen", &taken]), b"", 1, "system");
    drop(held);
    for wrong in ["nowhere", "127.0.0.1", "127.0.0.1:99999"] {
        fails(|| in_store(gate, &["gate", "listen", wrong]), b"", 2, "invalid_input");
    }
}

fn read_frame(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
    stream.read_exact(&mut body)?;
    Ok(body)
}

#[test]
fn whoever_never_comes_to_an_end_is_left() {
    let door = Door::open();
    let (gate, east) = (door.path(), door.another("East door"));
    // There is always more, at a place that rises, and nothing ever comes.
    let (asked, hears) = std::sync::mpsc::channel();
    let address = peer(move |mut stream| {
        for sequence in 0_u32.. {
            let Ok(request) = read_frame(&mut stream) else { break };
            let more = [&request[4..12], &[1], &[7; 16][..], &sequence.to_be_bytes(), &[7; 32]].concat();
            let delta = [b"TWL1", &more[..]].concat();
            let _ = asked.send(request);
            if stream.write_all(&frame(&delta)).is_err() {
                break;
            }
        }
    });
    let line = fails(|| connect(gate, &address), b"", 2, "invalid_input");
    assert!(line.contains("goes on and on"), "{line}");
    // Nor is the same asked for without end.
    let request = hears.recv().unwrap();
    let listening = Listening::start(east.path(), &[]);
    let mut stream = TcpStream::connect(&listening.address).unwrap();
    let mut answers = 0;
    while stream.write_all(&frame(&request)).is_ok() && read_frame(&mut stream).is_ok() {
        answers += 1;
    }
    assert!((60..70).contains(&answers), "{answers}");
    assert!(listening.end().failed(2).contains("asks for the same again"));
}

#[test]
fn a_gate_of_another_event_gets_nothing_and_gives_nothing() {
    let door = Door::open();
    let (gate, other) = (door.path(), door.elsewhere());
    write_records(gate, "here", 2);
    write_records(other.path(), "there", 2);
    let listening = Listening::start(gate, &[]);
    let found = run(connect(other.path(), &listening.address).arg("--json"), b"");
    let said: Value = serde_json::from_str(found.failed(4)).unwrap();
    assert_eq!(said["error"]["code"], "refused");
    assert!(text(&said["error"]["reason"]).contains("event"), "{said}");
    assert!(listening.end().failed(2).contains("event"));
    let file = door.phone.path().join("ledger.bin");
    let file = file.to_str().unwrap();
    json_of(other.path(), &["gate", "export", file]);
    assert!(fails(|| in_store(gate, &["gate", "merge", file]), b"", 2, "invalid_input").contains("event"));
    for gate in [gate, other.path()] {
        let report = json_of(gate, &["gate", "report"]);
        assert_eq!((&report["records"], report["scanners"].as_array().unwrap().len()), (&json!(2), 1));
    }
}

#[test]
fn a_revoked_scanner_is_told_so_and_its_records_do_not_count() {
    let door = Door::open();
    let (north, east) = (door.path(), door.another("East door"));
    let east = east.path();
    write_records(north, "north", 2);
    let listening = Listening::start(east, &[]);
    let done = run(connect(north, &listening.address).arg("--json"), b"").json();
    assert_eq!((counts(&done), listening.end().code), ([0, 0, 0, 2], Some(0)));
    assert_eq!(json_of(east, &["gate", "report"])["discounted"], json!([]));

    let scanner = text(&json_of(north, &["gate", "status"])["scanner"]);
    door.served.control("POST", &format!("/sandbox/gates/scanners/{scanner}/revoke"), &json!({}));
    json_of(east, &["gate", "prepare"]);
    let report = json_of(east, &["gate", "report"]);
    let discounted: Vec<_> =
        report["discounted"].as_array().unwrap().iter().map(|one| (&one["why"], &one["scanner"])).collect();
    assert_eq!(discounted, [(&json!("ScannerRevoked"), &json!(scanner)); 2]);
    let shown = text_of(east, &["gate", "report"]);
    for part in
        ["Records that do not count\nRECORD", "written after the scanner's last good record", "  revoked\n"]
    {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    // It has heard nothing of that itself.
    let listening = Listening::start(east, &[]);
    let line = run(&mut connect(north, &listening.address), b"");
    assert_eq!(line.failed(4), "error: the other gate does not answer: the asking scanner was revoked");
    assert!(listening.end().failed(2).contains("revoked"));
}

/// Carries frames between two gates, so many from the listening one; then it ends that one, and the connection.
fn cut_off(listening: Listening, frames: usize) -> String {
    let (address, listening) = (listening.address.clone(), std::sync::Mutex::new(Some(listening)));
    peer(move |mut near| {
        let mut far = TcpStream::connect(&address).unwrap();
        let (mut asked, mut asking) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        let up = thread::spawn(move || std::io::copy(&mut asking, &mut asked));
        for _ in 0..frames {
            let body = read_frame(&mut far).unwrap();
            near.write_all(&frame(&body)).unwrap();
        }
        // SIGKILL, whatever it is doing.
        drop(listening.lock().unwrap().take());
        near.shutdown(Shutdown::Both).unwrap();
        drop(up.join());
    })
}

#[test]
fn what_came_before_a_gate_was_killed_counts_and_the_rest_comes_the_next_time() {
    let door = Door::open();
    let (north, east) = (door.path(), door.another("East door"));
    write_records(north, "north", 600);
    let address = cut_off(Listening::start(north, &[]), 1);
    let line = run(&mut connect(east.path(), &address), b"");
    let line = line.failed(3);
    assert!(
        line.contains("closed the connection too early; ") && line.contains("new records had come"),
        "{line}"
    );
    let report = json_of(east.path(), &["gate", "report"]);
    let held = report["records"].as_u64().unwrap();
    assert!((50..550).contains(&held), "{held}");
    assert!(line.contains(&format!("; {held} new records had come and count")), "{line}");
    // What is missing is known from the head that came first.
    assert_eq!(report["missing"][0]["from"], held + 1);
    assert_eq!(report["missing"][0]["to"], 600);
    let shown = text_of(east.path(), &["gate", "report"]);
    assert!(shown.contains("Records that were made and are not here\nDOOR"), "{shown}");

    let listening = Listening::start(north, &[]);
    let done = run(connect(east.path(), &listening.address).arg("--json"), b"").json();
    assert_eq!(counts(&done), [600 - held, 0, 0, 0]);
    assert_eq!(listening.end().code, Some(0));
    let report = json_of(east.path(), &["gate", "report"]);
    assert_eq!((&report["records"], &report["missing"]), (&json!(600), &json!([])));
}

#[test]
fn at_a_terminal_an_exchange_says_how_far_it_is() {
    let door = Door::open();
    let (north, east) = (door.path(), door.another("East door"));
    write_records(north, "north", 600);
    let listening = Listening::start(north, &[]);
    let shown = at_terminal(&connect(east.path(), &listening.address), &[]);
    assert_eq!(shown.code, Some(0), "{}", shown.stdout);
    assert!(shown.stdout.contains("Exchanging ledgers: "), "{}", shown.stdout);
    assert!(shown.stdout.contains("New records: 600"), "{}", shown.stdout);
    assert_eq!(listening.end().code, Some(0));
}

#[test]
fn files_carry_ledgers_too() {
    let door = Door::open();
    let (north, east, south) = (door.path(), door.another("East door"), door.another("South door"));
    let code = door.shown() + "\n";
    assert_eq!(verdicts(north, &code).1[0]["verdict"], "Admit");
    write_records(east.path(), "east", 2);
    let files = ["north.bin", "east.bin", "none.bin", "rubbish.bin"].map(|name| door.phone.path().join(name));
    let [north_file, east_file, none, rubbish] = files.each_ref().map(|path| path.to_str().unwrap());
    let exported = json_of(north, &["gate", "export", north_file]);
    assert_eq!(exported, json!({ "file": north_file, "records": 1 }));
    let shown = text_of(east.path(), &["gate", "export", east_file]);
    assert_eq!(shown, format!("Records in {east_file}: 2.\n"));
    std::fs::write(rubbish, b"\xff\xff\xff\xffrubbish").unwrap();
    let line = fails(|| in_store(north, &["gate", "export", east_file]), b"", 2, "invalid_input");
    assert!(line.contains("exists"), "{line}");

    // What stands before one that is none counts.
    let mut all = in_store(south.path(), &["gate", "merge", north_file, east_file, rubbish, "--json"]);
    let found = run(&mut all, b"");
    assert_eq!(found.code, Some(2), "{found:?}");
    let merged = json_lines(&found.stdout);
    let added: Vec<_> =
        merged.iter().map(|one| (text(&one["file"]), one["added"].as_u64().unwrap())).collect();
    assert_eq!(added, [(north_file.to_owned(), 1), (east_file.to_owned(), 2)]);
    let again = text_of(south.path(), &["gate", "merge", north_file]);
    assert_eq!(again, format!("{north_file}: New records: 0, of them 0 admissions.\n"));
    assert_eq!(verdicts(south.path(), &code).1[0]["verdict"], "Replayed");
    assert_eq!(verdicts(south.path(), &door.next_shown()).1[0]["verdict"], "AlreadyAdmitted");
    fails(|| in_store(south.path(), &["gate", "merge", none]), b"", 2, "invalid_input");
    fails(|| in_store(south.path(), &["gate", "merge"]), b"", 2, "invalid_input");
    fails(|| in_store(south.path(), &["gate", "export", "/nowhere/ledger.bin"]), b"", 2, "invalid_input");

    let unsigned = not_signed_in();
    for command in [&["report"][..], &["listen"], &["connect", "127.0.0.1:1"], &["export", none]] {
        fails(|| in_store(unsigned.path(), &[&["gate"], command].concat()), b"", 2, "invalid_input");
    }
}
