//! The box office of an organiser at B.A.M: reserve, free, issue, send, and what became of it all.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Finished, Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;

/// Two tickets for adults in the first block of the organiser's first event.
const ITEM: &str = "1:2,sector=1";

struct Office {
    served: Served,
    folder: TempDir,
    /// The enrolment of a holder.
    owner: String,
}

impl Office {
    /// An organiser who is signed in, on the wallet of a holder who has a certificate.
    fn open(options: &[&str]) -> Self {
        let served = Served::start_with(options);
        let folder = tempfile::tempdir().unwrap();
        served.login(folder.path(), 0).json();
        let owner = text(&json_of(folder.path(), &["enroll"])["enrollment_id"]);
        let (mut login, password) = served.organizer_login(folder.path());
        let account = run(login.arg("--json"), password.as_bytes()).json();
        assert!(account["account"].is_string(), "{account}");
        Self { served, folder, owner }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn reserve(&self) -> Finished {
        let arguments = ["box-office", "reserve", "--event", "1", "--item", ITEM, "--owner", &self.owner];
        run(in_store(self.path(), &arguments).arg("--json"), b"")
    }

    /// The ids of two tickets that are reserved now.
    fn reserved(&self) -> [String; 2] {
        let write = self.reserve().json();
        assert_eq!((&write["kind"], &write["state"]), (&json!("reserve"), &json!("done")));
        [0, 1].map(|index| text(&write["answer"]["tickets"][index]["id"]))
    }

    /// How tickets stand.
    fn states(&self, ids: &[String]) -> Vec<Value> {
        let found = run(in_store(self.path(), &["box-office", "status"]).args(ids).arg("--json"), b"");
        found.json().as_array().unwrap().iter().map(|ticket| ticket["status"].clone()).collect()
    }

    fn fails(&self, arguments: &[&str], code: i32, name: &str) -> String {
        fails(|| in_store(self.path(), arguments), b"", code, name)
    }
}

#[test]
fn an_organiser_signs_in_and_out() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let wrong = fails(|| served.organizer_login(folder).0, b"wrong\n", 4, "refused");
    assert!(wrong.contains("password") && !wrong.contains("wrong"), "{wrong}");
    assert_eq!(json_of(folder, &["box-office", "accounts"]), json!([]));
    assert!(text_of(folder, &["box-office", "accounts"]).contains("ticket-wallet box-office login"));
    let none = || in_store(folder, &["box-office", "status", "1"]);
    assert!(fails(none, b"", 2, "invalid_input").contains("`ticket-wallet box-office login`"));

    let (mut login, password) = served.organizer_login(folder);
    assert!(run(&mut login, password.as_bytes()).text().starts_with("Signed in. Account "));
    let accounts = json_of(folder, &["box-office", "accounts"]);
    assert_eq!(accounts[0]["user"], served.ready["organizers"][0]["name"]);
    // The wallet's accounts are its own.
    fails(|| in_store(folder, &["accounts"]), b"", 2, "not_found");
    let id = text(&accounts[0]["account"]);
    let able = json_of(folder, &["box-office", "accounts", "--capabilities", &id]);
    assert!(able.as_array().unwrap().contains(&json!("IssueTickets")), "{able}");
    let unknown = || in_store(folder, &["box-office", "status", "1", "--account", "nobody"]);
    assert!(fails(unknown, b"", 2, "not_found").contains("box-office accounts"));
    assert_eq!(json_of(folder, &["box-office", "logout", &id]), json!({ "signed_out": id }));
    fails(|| in_store(folder, &["box-office", "logout", &id]), b"", 2, "not_found");
    assert_eq!(json_of(folder, &["box-office", "accounts"]), json!([]));
}

#[test]
fn tickets_are_reserved_issued_and_their_owner_s() {
    let office = Office::open(&[]);
    let ids = office.reserved();
    assert_eq!(office.states(&ids), ["reserved", "reserved"]);
    let listed = json_of(office.path(), &["box-office", "reserved", "--event", "1"]);
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|ticket| text(&ticket["id"])).collect();
    assert!(ids.iter().all(|id| listed.contains(id)), "{listed:?}");
    let ours = ["box-office", "tickets", "--status", "reserved", "--sort-by", "id", "--with-enrollment-id"];
    let ours = json_of(office.path(), &ours)["tickets"].clone();
    let found: Vec<_> = ours.as_array().unwrap().iter().map(|ticket| ticket["id"].to_string()).collect();
    assert_eq!(found, ids);
    assert_eq!(ours[0]["enrollment_id"], office.owner.as_str());

    let issue = ["box-office", "issue", &ids[0], &ids[1], "--yes"];
    let issued = json_of(office.path(), &issue);
    assert_eq!(issued["write"]["state"], "done");
    let states = issued["tickets"].as_array().unwrap().iter().map(|ticket| &ticket["status"]);
    assert!(states.eq(["issued", "issued"].iter()), "{issued}");
    json_of(office.path(), &["sync"]);
    let held = json_of(office.path(), &["tickets", "list"]);
    let ours = |ticket: &&Value| {
        let id = text(&ticket["id"]);
        let detail = json_of(office.path(), &["tickets", "show", &id]);
        ids.contains(&text(&detail["remote_id"])) && text(&detail["event"]["id"]) == "1"
    };
    assert!(held.as_array().unwrap().iter().filter(ours).count() >= 2);
    // What is issued is neither issued again nor freed.
    let again = office.fails(&issue, 4, "refused");
    assert!(again.contains("TICKET_NOT_RESERVED"), "{again}");
    office.fails(&["box-office", "free", &ids[0]], 4, "refused");
}

#[test]
fn freed_tickets_are_nobody_s() {
    let office = Office::open(&[]);
    let ids = office.reserved();
    let freed = text_of(office.path(), &["box-office", "free", &ids[0], &ids[1]]);
    assert!(freed.starts_with("Done, as "), "{freed}");
    let line = office.fails(&["box-office", "free", &ids[0]], 4, "refused");
    assert!(line.contains("409 (TICKET_NOT_RESERVED)"), "{line}");
    let writes = json_of(office.path(), &["box-office", "writes", "list"]);
    let states: Vec<_> = writes.as_array().unwrap().iter().map(|write| &write["state"]).collect();
    assert_eq!(states, ["rejected", "rejected", "done", "done"], "with and without --json");
    let shown = text_of(office.path(), &["box-office", "writes", "list", "--limit", "1"]);
    assert!(shown.lines().count() == 2 && shown.contains("TICKET_NOT_RESERVED"), "{shown}");
}

#[test]
fn nothing_that_cannot_be_undone_is_done_without_a_yes() {
    let office = Office::open(&[]);
    let ids = office.reserved();
    let issue = ["box-office", "issue", ids[0].as_str(), ids[1].as_str()];
    let send = ["box-office", "send", "--event", "1", "--item", ITEM, "--to", "mira@example.org"];
    for (arguments, what) in [(&issue[..], "Issue 2 tickets"), (&send[..], "Send tickets to 1 recipient")] {
        let line = office.fails(arguments, 2, "invalid_input");
        assert!(line.contains(what) && line.contains("--yes"), "{line}");
        for answer in ["n\n", "\n", "maybe\n", "\u{4}"] {
            let said = at_terminal(&in_store(office.path(), arguments), &[("[y/N]", answer)]);
            assert_eq!(said.code, Some(2), "{}", said.stdout);
            assert!(
                said.stdout.contains(what) && said.stdout.contains("nothing was done"),
                "{}",
                said.stdout
            );
        }
    }
    assert_eq!(office.states(&ids), ["reserved", "reserved"]);
    let journal = office.served.tells("/sandbox/journal").to_string();
    assert!(!journal.contains("issue") && !journal.contains("send"), "{journal}");

    let said = at_terminal(&in_store(office.path(), &issue), &[("[y/N]", "y\n")]);
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    assert_eq!(office.states(&ids), ["issued", "issued"]);
}

#[test]
fn groups_get_their_tickets_by_e_mail() {
    let office = Office::open(&[]);
    let mut send = in_store(office.path(), &["box-office", "send", "--event", "1", "--item", ITEM, "--yes"]);
    send.args(["--to", "mira@example.org", "--to", "jonas@example.org", "--note", "Viel Spaß!"]);
    let write = run(send.arg("--json"), b"").json();
    assert_eq!((&write["kind"], &write["state"]), (&json!("send_group"), &json!("done")));
    assert_eq!(write["answer"]["tickets"].as_array().unwrap().len(), 4);
    assert_eq!(write["request"]["owner_emails"], json!(["mira@example.org", "jonas@example.org"]));
}

#[test]
fn an_issue_that_takes_long_says_so() {
    let office = Office::open(&["--choice", "bam.issue=never"]);
    let ids = office.reserved();
    let once = ["box-office", "issue", &ids[0], "--yes", "--wait", "0"];
    assert!(text_of(office.path(), &once).starts_with("Done, as "), "carried out, and not waited for");
    let waited =
        run(&mut in_store(office.path(), &["box-office", "issue", &ids[1], "--yes", "--wait", "1"]), b"");
    assert_eq!((waited.code, waited.stderr.as_str()), (Some(1), ""));
    assert!(
        waited.stdout.contains("confirmed") && waited.stdout.contains("box-office status"),
        "{}",
        waited.stdout
    );
    let status = json_of(office.path(), &["box-office", "status", &ids[0], &ids[1], "--wait", "1"]);
    assert_eq!((&status[0]["status"], &status[1]["status"]), (&json!("confirmed"), &json!("confirmed")));
    assert_eq!(status[0]["record"]["id"].to_string(), ids[0]);
}

#[test]
fn a_lost_answer_is_looked_up_and_not_repeated() {
    let office = Office::open(&["--choice", "bam.reserved_listed=false"]);
    office.served.lose_the_answer_to("/ticket/reserve");
    let lost = office.reserve();
    assert_eq!((lost.code, lost.stderr.as_str()), (Some(1), ""), "no success: {}", lost.stdout);
    let write: Value = serde_json::from_str(&lost.stdout).unwrap();
    assert_eq!((&write["state"], &write["answer"]), (&json!("unknown"), &Value::Null));
    let number = write["id"].to_string();
    let looked = text_of(office.path(), &["box-office", "writes", "look-up", &number]);
    assert!(looked.contains("Do not repeat it") && looked.contains(&format!("look-up {number}")), "{looked}");
    assert_eq!(json_of(office.path(), &["box-office", "writes", "look-up", &number])["state"], "unknown");
    assert_eq!(
        json_of(office.path(), &["box-office", "writes", "forget", &number]),
        json!({ "forgotten": write["id"] })
    );
    office.fails(&["box-office", "writes", "forget", &number], 2, "not_found");
    office.fails(&["box-office", "writes", "look-up", &number], 2, "not_found");
    assert!(text_of(office.path(), &["box-office", "writes", "list"]).contains("Nothing was sent yet"));

    // Nor is it known whose they are where the server does not tell.
    let office = Office::open(&["--choice", "bam.owners_listed=false"]);
    office.served.lose_the_answer_to("/ticket/reserve");
    let lost: Value = serde_json::from_str(&office.reserve().stdout).unwrap();
    assert_eq!((&lost["state"], &lost["answer"]), (&json!("unknown"), &Value::Null));

    // Where the server lists what is reserved, and for whom, it is found at once.
    let office = Office::open(&[]);
    office.served.lose_the_answer_to("/ticket/reserve");
    assert_eq!(office.reserved().len(), 2);
}

#[test]
fn orders_that_cannot_be_carried_out_are_refused() {
    let office = Office::open(&[]);
    let reserve = |change: [&'static str; 2]| {
        let usual = [["--event", "1"], ["--item", ITEM], ["--owner", office.owner.as_str()]];
        let kept = usual.into_iter().filter(move |option| option[0] != change[0]);
        let arguments: Vec<_> =
            ["box-office", "reserve"].into_iter().chain(kept.flatten()).chain(change).collect();
        let folder = office.path();
        move || in_store(folder, &arguments)
    };
    for item in ["1", "1:", ":2", "a:b", "1:2,3", "1:2,row=4", "1:-2", "1:2,sector=x"] {
        let line = fails(reserve(["--item", item]), b"", 2, "invalid_input");
        assert!(line.contains("CONFIG:QUANTITY"), "{line}");
    }
    for (change, said) in [(["--item", "1:0"], "quantity"), (["--owner", ""], "owner_enrollment_id")] {
        assert!(fails(reserve(change), b"", 2, "invalid_input").contains(said));
    }
    for change in [["--event", "999999"], ["--item", "1:1000000,sector=1"], ["--owner", "nobody"]] {
        let line = fails(reserve(change), b"", 4, "refused");
        assert!(line.contains("the server answered 4") && line.ends_with(')'), "{line}");
    }
    office.fails(&["box-office", "status", "999999"], 4, "refused");
    assert_eq!(json_of(office.path(), &["box-office", "reserved", "--event", "999999"]), json!([]));
    office.fails(&["box-office", "free"], 2, "invalid_input");
    // What only Unidy has.
    for arguments in
        [&["box-office", "categories"][..], &["box-office", "ticket", "list"], &["box-office", "pages"]]
    {
        assert!(office.fails(arguments, 2, "invalid_input").contains("only Unidy has this"));
    }
    // Bodies in another form than the server's are refused, and nothing of them is done.
    let other = Office::open(&["--choice", "bam.ids_form=objects"]);
    let ids = other.reserved();
    other.fails(&["box-office", "free", &ids[0]], 4, "refused");
    let (mut login, password) = other.served.organizer_login(other.path());
    run(login.args(["--ids-form", "objects"]), password.as_bytes()).text();
    assert_eq!(json_of(other.path(), &["box-office", "free", &ids[0]])["state"], "done");
    // A holder is no organiser, and an organiser's own server may be gone.
    let elsewhere = tempfile::tempdir().unwrap();
    let (name, password) = office.served.user(0);
    let login = ["box-office", "login", "--system", "bam", "--url", office.served.url(), "--user", &name];
    run(&mut in_store(elsewhere.path(), &login), format!("{password}\n").as_bytes()).text();
    let line = fails(
        || {
            let arguments =
                ["box-office", "reserve", "--event", "1", "--item", ITEM, "--tenant", "nordhafen"];
            let mut command = in_store(elsewhere.path(), &arguments);
            command.args(["--owner", &office.owner]);
            command
        },
        b"",
        4,
        "refused",
    );
    assert!(line.contains("403"), "{line}");
    let Office { served, folder, .. } = office;
    assert!(served.stop().success());
    let gone = || in_store(folder.path(), &["box-office", "status", "1"]);
    assert!(fails(gone, b"", 3, "unreachable").contains("cannot be reached"));
}
