//! TickeTing: a holder's sync, and a host's tokens and admissions.

use ticket_wallet::model::{
    AdmissionOrder, AdmissionQuery, SignIn, TicketingAccess, TicketingCode, TicketingConfig, TokenQuery,
};
use ticket_wallet_sandbox::{Fault, FaultRule};

use crate::desk::open;
use crate::festival::{Festival, sign_in};
use crate::phone::Phone;
use crate::scanner::Scanner;
use crate::{WRONG_PASSWORD, assert_no_leak, look_around, own_secrets};

fn faults() -> [Fault; 5] {
    let unavailable = Fault::Unavailable { retry_after: "0".to_owned() };
    [Fault::ServerError, Fault::Unauthorized, Fault::TruncatedJson, Fault::LostReply, unavailable]
}

fn disturb(festival: &Festival, path: &str, fault: Fault) {
    let path_contains = path.to_owned();
    festival.sandbox.fault(FaultRule { method: None, path_contains, skip: 0, times: 9, fault });
}

#[tokio::test]
async fn no_value_of_ticketings_holder_says_a_secret() {
    let festival = Festival::new().await;
    let (phone, mut seen) = (Phone::new(&festival.clock), Scanner::default());
    let user = festival.sandbox.users()[0].clone();
    let codes = Some(TicketingCode::Serial);
    let config =
        TicketingConfig { codes, app_key: Some("an-app-key-0001".to_owned()), ..TicketingConfig::default() };
    seen.look("TicketingConfig", &config);
    let signing = sign_in(&festival.served.url, config, &user.name, &user.password);
    seen.look("SignIn", &signing);
    let wrong = SignIn { password: WRONG_PASSWORD.to_owned(), ..signing.clone() };
    seen.take("a wrong password", phone.wallet.sign_in(wrong).await);
    seen.take("sign_in", phone.wallet.sign_in(signing.clone()).await);
    seen.take("sync", phone.wallet.sync(None).await);
    let mut codes = look_around(&phone, &mut seen);
    for path in ["/sessions", "/sessions/active", "/tickets", "/events/"] {
        for fault in faults() {
            disturb(&festival, path, fault);
            seen.take(path, phone.wallet.sign_in(signing.clone()).await);
            seen.take(path, phone.wallet.sync(None).await);
            festival.sandbox.clear_faults();
        }
    }
    codes.extend(look_around(&phone, &mut seen));
    assert!(seen.len() > 50, "{}", seen.len());
    let known = [WRONG_PASSWORD.to_owned(), "an-app-key-0001".to_owned()];
    assert_no_leak(&seen, &[festival.sandbox.secrets(), codes, own_secrets(&phone), known.to_vec()].concat());
}

#[tokio::test]
async fn no_value_of_ticketings_host_says_a_secret() {
    let festival = Festival::new().await;
    let (folder, mut seen) = (tempfile::tempdir().unwrap(), Scanner::default());
    let office = open(folder.path(), &festival.clock);
    let account = seen.take("sign_in", office.sign_in(festival.sign_in_as_host()).await).unwrap().id;
    let (of, event) = (|| account.clone(), festival.event(0));
    let sections = festival.sections(0);
    let issued = office.issue_tokens(of(), event.clone(), sections.clone(), 2).await;
    let issued = seen.take("issue_tokens", issued).unwrap();
    seen.look("OfficeWrite", &issued[0]);
    let page = seen.take("tokens", office.tokens(of(), event.clone(), TokenQuery::default()).await).unwrap();
    for token in &page.tokens {
        seen.look("AdmissionToken", token);
        seen.take("token", office.token(of(), event.clone(), token.id.clone()).await);
        let access = office.look_up_code(of(), token.code.clone().unwrap()).await;
        let access = seen.take("look_up_code", access).unwrap();
        let config =
            TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..TicketingConfig::default() };
        let gate = sign_in(&festival.served.url, config, "Gate", &access.key);
        seen.take("a gate's sign_in", office.sign_in(gate).await);
    }
    let listed = office.event_tickets(of(), event.clone(), Some(0), 1).await;
    let listed = seen.take("event_tickets", listed).unwrap();
    let order = AdmissionOrder {
        event_id: event.clone(),
        redeemer: WRONG_PASSWORD.to_owned(),
        device: WRONG_PASSWORD.to_owned(),
        serials: listed.tickets.iter().take(3).map(|ticket| ticket.remote_id.clone()).collect(),
    };
    seen.look("AdmissionOrder", &order);
    seen.take("admit", office.admit(of(), order.clone()).await);
    let admissions = office.admissions(of(), event.clone(), AdmissionQuery::default()).await;
    for admission in seen.take("admissions", admissions).unwrap().admissions {
        seen.look("Admission", &admission);
    }
    let token = page.tokens[1].id.clone();
    for path in ["/tokens", "/admissions", "/sessions"] {
        for fault in faults() {
            disturb(&festival, path, fault);
            let lost = office.issue_tokens(of(), event.clone(), sections.clone(), 1).await;
            let lost = seen.take(path, lost);
            seen.take(path, office.update_token(of(), event.clone(), token.clone(), sections.clone()).await);
            seen.take(path, office.admit(of(), order.clone()).await);
            seen.take(path, office.look_up_code(of(), WRONG_PASSWORD.to_owned()).await);
            festival.sandbox.clear_faults();
            for write in lost.unwrap_or_default() {
                seen.take(path, office.look_up_write(write.id).await);
            }
            seen.take(path, office.sign_in(festival.sign_in_as_host()).await);
        }
    }
    seen.take("writes", office.writes(of(), 100));
    assert!(seen.len() > 80, "{}", seen.len());
    let serials = order.serials;
    assert_no_leak(&seen, &[festival.sandbox.secrets(), serials, vec![WRONG_PASSWORD.to_owned()]].concat());
}
