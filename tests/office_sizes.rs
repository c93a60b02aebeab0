//! Promise: long catalogues and long lists of admission tokens take bounded memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]
#![allow(clippy::duplicate_mod, reason = "two of the modules below open their clients alike")]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::env;
use std::process::Command;

use expo::{Expo, usd};
use festival::Festival;
use phone::vault_in;
use ticket_wallet::model::{OfficeWriteState, ProductFields, SignIn, TexpoConfig, TokenQuery};
use ticket_wallet::{BoxOffice, Config};

/// The test that is the measured process when this is set: what it does, and the server's address, name and password.
const TEST: &str = "a_process_that_works_tells_its_peak";
const WORK: &str = "OFFICE_SIZES";
/// A process that signs in and lists one page takes about 20; the catalogue of 5,000 entries is 2 MB of JSON.
const PEAK_MIB: usize = 64;

/// The peak in MiB of a process that does this work.
async fn peak(work: &str, sign_in: SignIn, more: &str) -> usize {
    let told = format!("{work}\n{}\n{}\n{}\n{more}", sign_in.config.url, sign_in.user_name, sign_in.password);
    let run = move || {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]).env(WORK, told);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let line = output.lines().find_map(|line| line.split_once("measured ").map(|(_, told)| told));
    let kib: usize = line.unwrap_or_else(|| panic!("{output}")).parse().unwrap();
    println!("{work}: {} MiB", kib / 1024);
    kib / 1024
}

#[tokio::test]
async fn a_process_that_works_tells_its_peak() {
    let Ok(told) = env::var(WORK) else { return };
    let parts: Vec<_> = told.split('\n').collect();
    let [work, url, name, password, more] = parts[..] else { panic!("{told}") };
    let folder = tempfile::tempdir().unwrap();
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let office = BoxOffice::open(config, vault_in(folder.path()), None, None).unwrap();
    if work == "catalogue" {
        let texpo = TexpoConfig { network_id: Some(more.to_owned()), ..TexpoConfig::default() };
        let mut sign_in = festival::sign_in(url, Default::default(), name, password);
        sign_in.system = ticket_wallet::model::TicketSystem::Texpo;
        (sign_in.config.ticketing, sign_in.config.texpo) = (None, Some(texpo));
        let account = office.sign_in(sign_in).await.unwrap().id;
        assert_eq!(office.catalogue(account.clone()).await.unwrap().len(), 5_000);
        let cheaper = ProductFields { price: Some(usd(100)), ..ProductFields::default() };
        let write = office.update_product(account, "expo-04999".to_owned(), cheaper).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Done);
    } else {
        let sign_in = festival::sign_in(url, Default::default(), name, password);
        let account = office.sign_in(sign_in).await.unwrap().id;
        let (mut page, mut seen, mut more_follow) = (0, 0, true);
        while more_follow {
            page += 1;
            let query = TokenQuery { page: Some(page), ..TokenQuery::default() };
            let found = office.tokens(account.clone(), more.to_owned(), query).await.unwrap();
            (seen, more_follow) = (seen + found.tokens.len(), found.more);
        }
        assert_eq!((page, seen), (200, 5_000));
        // The tokens that are there are looked at before others are issued.
        let sections = office.tokens(account.clone(), more.to_owned(), TokenQuery::default()).await.unwrap();
        let sections = sections.tokens[0].sections.clone();
        let writes = office.issue_tokens(account, more.to_owned(), sections, 3).await.unwrap();
        assert!(writes.iter().all(|write| write.state == OfficeWriteState::Done));
        assert!(
            writes.iter().all(|write| write.request_json.len() < 2_000),
            "the list is not kept with each"
        );
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("measured {}", peak.trim().trim_end_matches(" kB"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_thousand_entries_take_bounded_memory() {
    let expo = Expo::new().await;
    expo.sandbox.set_texpo_catalogue(5_000);
    let network = expo.access.network_id.clone();
    let peak = peak("catalogue", expo.manager_sign_in(), &network).await;
    assert!(peak < PEAK_MIB, "{peak} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pages_of_tokens_take_bounded_memory() {
    let festival = Festival::new().await;
    festival.sandbox.add_ticketing_tokens(festival.served.events[0].id, 4_999).unwrap();
    let peak = peak("tokens", festival.sign_in_as_host(), &festival.event(0)).await;
    assert!(peak < PEAK_MIB, "{peak} MiB");
}
