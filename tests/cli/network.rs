//! What leaves the machine: nothing for an address that is refused, and nothing through a proxy for this very machine.

use std::path::Path;
use std::process::Command;

use crate::command::{Served, in_store, login, run};
use crate::tiny_server::{Answer, TinyServer};

/// A proxy that only notes what it is asked for.
fn proxy() -> TinyServer {
    TinyServer::start(|_| Answer::status(502))
}

fn through(mut command: Command, proxy: &TinyServer) -> Command {
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, proxy.url());
    }
    command
}

fn login_through(folder: &Path, url: &str, proxy: &TinyServer) -> Command {
    through(login(folder, url, "mira@example.org"), proxy)
}

#[test]
fn a_refused_address_gets_nothing() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), proxy());
    for url in ["http://nowhere.invalid", "http://127.0.0.1.nowhere.invalid", "ftp://nowhere.invalid"] {
        run(&mut login_through(folder.path(), url, &proxy), b"pw\n").failed(2);
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
    // The control: what is sent to the same host goes through this proxy.
    run(&mut login_through(folder.path(), "https://nowhere.invalid", &proxy), b"pw\n").failed(3);
    assert_eq!(
        (proxy.asked()[0].method.as_str(), proxy.asked()[0].path.as_str()),
        ("CONNECT", "nowhere.invalid:443")
    );
}

#[test]
fn a_proxy_sees_nothing_of_this_machine() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), proxy());
    let served = Served::start();
    let user = &served.ready["users"][0];
    let mut login = through(login(folder.path(), served.url(), user["name"].as_str().unwrap()), &proxy);
    run(&mut login, format!("{}\n", user["password"].as_str().unwrap()).as_bytes()).json();
    let report = run(&mut through(in_store(folder.path(), &["sync", "--json"]), &proxy), b"").json();
    assert_eq!(report["received"], 24);
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}
