//! What tests do with a sandbox that is served: its own routes, a browser, and signing in to all that it serves.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::command::{Finished, Served, in_store, run};

/// An answer over HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Served {
    /// Sends a request to this path.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &Value) -> Reply {
        let mut stream = TcpStream::connect(self.url().replace("http://", "")).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// What one of the sandbox's own routes tells.
    pub(crate) fn tells(&self, path: &str) -> Value {
        serde_json::from_str(&self.ask("GET", path, &Value::Null).body).unwrap()
    }

    /// Has one of the sandbox's own routes do something.
    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) {
        let reply = self.ask(method, path, body);
        assert_eq!(reply.status, 204, "{}", reply.body);
    }

    /// Has the answer to the next request to such a path get lost.
    pub(crate) fn lose_the_answer_to(&self, path: &str) {
        let rule = json!([{ "method": "POST", "path_contains": path, "fault": "lost_reply" }]);
        self.control("POST", "/sandbox/faults", &rule);
    }

    /// Where a browser is sent to that opens an address of the sandbox.
    pub(crate) fn browse(&self, address: &str) -> String {
        let reply = self.ask("GET", address.strip_prefix(self.url()).unwrap(), &Value::Null);
        let location = reply.head.lines().find_map(|line| line.strip_prefix("location: "));
        location.unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    }

    /// What the last e-mail was about.
    pub(crate) fn last_mail(&self) -> String {
        let mails = self.tells("/sandbox/unidy/mails");
        mails.as_array().unwrap().last().unwrap()["secret"].as_str().unwrap().to_owned()
    }

    /// The name and the password of a user.
    pub(crate) fn user(&self, index: usize) -> (String, String) {
        let user = &self.ready["users"][index];
        (text(&user["name"]), text(&user["password"]))
    }

    /// A brand of Unidy.
    pub(crate) fn brand(&self, index: usize) -> &Value {
        &self.ready["unidy"]["brands"][index]
    }

    /// An OAuth app of the first brand.
    pub(crate) fn app(&self, name: &str) -> &Value {
        let apps = self.brand(0)["clients"].as_array().unwrap();
        apps.iter().find(|app| app["name"] == name).unwrap()
    }

    /// `login` to the first brand of Unidy, without a word on who signs in.
    pub(crate) fn unidy_login(&self, folder: &Path) -> Command {
        let brand = self.brand(0);
        let (url, key) = (text(&brand["url"]), text(&brand["sdk_key"]));
        in_store(folder, &["login", "--system", "unidy", "--url", &url, "--sdk-key", &key])
    }

    /// Signs this user in to the first brand of Unidy.
    pub(crate) fn login_to_unidy(&self, folder: &Path, user: usize) -> Finished {
        let (name, password) = self.user(user);
        let mut command = self.unidy_login(folder);
        run(command.args(["--json", "--user", &name]), format!("{password}\n").as_bytes())
    }

    /// `box-office login` as the organiser of the first tenant; the password comes from stdin.
    pub(crate) fn organizer_login(&self, folder: &Path) -> (Command, String) {
        let one = &self.ready["organizers"][0];
        let (name, id) = (text(&one["name"]), one["organizer_id"].to_string());
        let system = ["box-office", "login", "--system", "bam", "--url", self.url()];
        let mut command = in_store(folder, &system);
        command.args(["--organizer-id", &id, "--user", &name]);
        (command, text(&one["password"]) + "\n")
    }

    /// `box-office login` as a host of TickeTing; the password comes from stdin.
    pub(crate) fn host_login(&self, folder: &Path) -> (Command, String) {
        let of = &self.ready["ticketing"];
        let (url, host) = (text(&of["url"]), &of["hosts"][0]);
        let system = ["box-office", "login", "--system", "ticketing", "--url", &url];
        let mut command = in_store(folder, &system);
        command.args(["--user", &text(&host["name"])]);
        (command, text(&host["password"]) + "\n")
    }

    /// `box-office login` by a key of TickeTing; the key comes from stdin.
    pub(crate) fn key_login(&self, folder: &Path) -> Command {
        let url = text(&self.ready["ticketing"]["url"]);
        let system = ["box-office", "login", "--system", "ticketing", "--url", &url];
        let mut command = in_store(folder, &system);
        command.args(["--access", "integration-key", "--user", "gate"]);
        command
    }

    /// `box-office login` at TEXPO as one of its managers, or users; the password comes from stdin.
    pub(crate) fn network_login(&self, folder: &Path, role: &str) -> (Command, String) {
        let of = &self.ready["texpo"];
        let (url, network, who) = (text(&of["url"]), text(&of["network"]), &of[role][0]);
        let system = ["box-office", "login", "--system", "texpo", "--url", &url];
        let mut command = in_store(folder, &system);
        command.args(["--network", &network, "--user", &text(&who["name"])]);
        (command, text(&who["password"]) + "\n")
    }

    /// `box-office login` as the server of a partner of the first brand; the secret comes from stdin.
    pub(crate) fn partner_login(&self, folder: &Path) -> (Command, String) {
        let (url, app) = (text(&self.brand(0)["url"]), self.app("partner"));
        let mut command = in_store(folder, &["box-office", "login", "--system", "unidy", "--url", &url]);
        command.args(["--api", "partner", "--user", &text(&app["client_id"])]);
        (command, text(&app["client_secret"]) + "\n")
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}
