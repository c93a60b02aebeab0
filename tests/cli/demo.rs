//! `demo --fast` shows the main job, and what it shows is so: the second implementation agrees with every verdict.

use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::command::{run, ticket_wallet};
use crate::support::{json_lines, judge};

/// Frames shown: the first and two redraws.
const FRAMES: usize = 3;

/// A demo whose home and temporary folders are this one.
fn demo(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = ticket_wallet(&[&["demo", "--fast"], arguments].concat());
    command.env("HOME", folder.path()).env("TMPDIR", folder.path());
    command
}

fn assert_empty(folder: &TempDir) {
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn every_code_it_shows_is_judged_alike_by_the_second_implementation() {
    let folder = tempfile::tempdir().unwrap();
    let found = run(&mut demo(&folder, &["--json"]), b"");
    assert_eq!((found.code, found.stderr.as_str()), (Some(0), ""));
    assert_empty(&folder);
    let steps = json_lines(&found.stdout);
    assert!(steps.iter().all(|step| step["step"].is_string()), "{}", found.stdout);

    let shown: Vec<&Value> = steps.iter().filter(|step| step["text"].is_string()).collect();
    let requests: Vec<_> = shown
        .iter()
        .map(|step| json!({ "text": step["text"], "issuer_keys": [step["issuer_key"]], "now": step["now"] }))
        .collect();
    let mut frames = 0;
    for (step, opinion) in shown.iter().zip(judge(&requests)) {
        let verdict = step["verdict"].as_str().unwrap_or_else(|| {
            frames += 1;
            "Valid"
        });
        // The judge looks at the code alone, and keeps no record of who is inside.
        let of_code =
            if ["Admit", "AlreadyAdmitted", "Superseded"].contains(&verdict) { "Valid" } else { verdict };
        assert_eq!(opinion["verdict"], of_code, "{step}");
    }
    assert_eq!(frames, FRAMES);

    let decided = [
        ("admitted", "Admit"),
        ("again", "AlreadyAdmitted"),
        ("stale", "Stale"),
        ("forged", "BadIssuerSignature"),
        ("elsewhere", "Admit"),
        ("after_merge", "AlreadyAdmitted"),
        ("bought", "Admit"),
        ("superseded", "Superseded"),
    ];
    for (step, verdict) in decided {
        let verdicts: Vec<_> = steps.iter().filter(|found| found["step"] == step).collect();
        assert!(verdicts.len() == 1 && verdicts[0]["verdict"] == verdict, "{step}: {verdicts:?}");
    }
    let of = |step: &str| steps.iter().find(|found| found["step"] == step).unwrap();
    assert_eq!(of("gate")["unsent"], 0);
    assert!(of("gate")["tickets"].as_u64().is_some_and(|tickets| tickets > 0));
    // One gate hands over what both wrote until they met; what was sold came later.
    let before = decided.len() - 3;
    let report = json!({ "sent": before, "conflicts": 0, "unsent": 0, "received": 0 });
    assert_eq!(of("handed_over")["report"], report);
    let double = &of("merged")["double_entry"];
    let entries: Vec<_> =
        double["entries"].as_array().unwrap().iter().map(|one| (&one["door"], &one["is_extra"])).collect();
    let (north, east) = (json!("North door"), json!("East door"));
    assert_eq!(entries, [(&north, &json!(false)), (&east, &json!(true))]);
    let order: Vec<_> = steps.iter().filter_map(|step| step["step"].as_str()).collect();
    let at = |name: &str| order.iter().position(|step| *step == name).unwrap();
    assert!(at("gate") < at("offline") && at("forged") < at("elsewhere"), "{order:?}");
    assert!(at("merged") < at("after_merge") && at("after_merge") < at("handed_over"), "{order:?}");
    assert!(
        at("handed_over") < at("listed") && at("sold") < at("bought") && at("bought") < at("superseded"),
        "{order:?}"
    );
    assert_eq!(of("listed")["ticket"], of("sold")["ticket"]);
    assert_eq!(of("listed")["breakdown"]["buyer_total"], of("sold")["total"]);
    assert_ne!(of("again")["text"], of("admitted")["text"], "a frame of its own");
    assert_ne!(of("forged")["text"], of("admitted")["text"]);
    assert_eq!(of("stale")["text"], shown[0]["text"], "the stale copy is the first frame");
    let keys = of("sandbox")["issuer_keys"].as_array().unwrap();
    assert!(shown.iter().all(|step| keys.contains(&step["issuer_key"])));
}

#[tokio::test]
async fn people_see_the_frames_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let found = run(&mut demo(&folder, &[]), b"");
    assert_eq!((found.code, found.stderr.as_str()), (Some(0), ""));
    assert_empty(&folder);
    let rows = found.stdout.lines().filter(|line| line.contains('█') || line.contains('▀')).count();
    // 57 modules and a quiet zone of four on each side, two to a line.
    assert!((FRAMES * 29..=FRAMES * 33).contains(&rows), "{rows} rows of half blocks");
    for said in [
        "Frame 1 of 3",
        "Frame 3 of 3",
        "admitted (Admit)",
        "refused (AlreadyAdmitted)",
        "refused (Stale)",
        "BadIssuerSignature",
        "Tickets that let in too often",
        "one too many",
        "no money moves",
        "refused (Superseded)",
    ] {
        assert!(found.stdout.contains(said), "{said} is missing:\n{}", found.stdout);
    }
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let mut secrets: Vec<_> = sandbox.users().iter().map(|user| user.password.clone()).collect();
    secrets.extend(sandbox.admission_codes().unwrap().into_iter().map(|one| one.code));
    secrets.extend(["eyJ".to_owned(), "wrapping_key".to_owned(), "PRAGMA".to_owned()]);
    for secret in secrets {
        assert!(!found.stdout.contains(&secret), "{secret}");
    }
    // The control: the passwords are those of the demo's own sandbox, whose first user is named in the output.
    assert!(found.stdout.contains(&sandbox.users()[0].name));
}
