//! The sandbox as a command.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::command::Served;

#[test]
fn the_sandbox_announces_its_change_feed_only_when_asked() {
    for (options, status) in [(&[][..], "404"), (&["--feed"], "200")] {
        let served = Served::start_with(options);
        let mut stream = TcpStream::connect(served.url().replace("http://", "")).unwrap();
        let request = "GET /.well-known/ticket-wallet HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{reply}");
        assert_eq!(reply.contains(r#""features":["tickets"]"#), status == "200");
    }
}
