//! The rest of both systems: sign-ins in the browser and by a code, documents, certificates, and the box office.

use reqwest::redirect::Policy;
use ticket_wallet::model::{BamConfig, CodeSignIn, ServerTicketQuery, SignIn, UnidyGrant};
use ticket_wallet_sandbox::{Consent, Fault, FaultRule, SandboxConfig, UnidyChoices};

use crate::brands::{end_user, partner, server_of, sign_in_to};
use crate::desk::{Desk, ids, open, organizer};
use crate::phone::{Phone, TestClock, sandbox};
use crate::scanner::Scanner;
use crate::{WRONG_PASSWORD, assert_no_leak, look_around, own_secrets};

fn at(path: &str, fault: Fault) -> FaultRule {
    FaultRule { method: None, path_contains: path.to_owned(), skip: 0, times: 9, fault }
}

/// What any client may do with any fault.
fn faults() -> [Fault; 4] {
    [Fault::ServerError, Fault::Unauthorized, Fault::TruncatedJson, Fault::LostReply]
}

#[tokio::test]
async fn no_value_of_unidy_says_a_secret() {
    let clock = TestClock::new();
    let unidy = UnidyChoices { consent: Consent::Ask, ..UnidyChoices::default() };
    let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
    let user = sandbox.users()[0].name.clone();
    sandbox.set_unidy_choices(UnidyChoices {
        consent: Consent::Approve { user: user.clone() },
        ..sandbox.unidy_choices()
    });
    let (phone, mut seen) = (Phone::new(&clock), Scanner::default());
    let wallet = &phone.wallet;
    let sign_in = sign_in_to(&sandbox, "nord", 0);
    seen.look("SignIn", &sign_in);
    let wrong = SignIn { password: WRONG_PASSWORD.to_owned(), ..sign_in.clone() };
    seen.take("a wrong password", wallet.sign_in(wrong).await);
    let account = seen.take("sign_in", wallet.sign_in(sign_in).await).unwrap();
    seen.take("sync", wallet.sync(None).await);
    let mut codes = look_around(&phone, &mut seen);
    seen.take("capabilities", wallet.capabilities(account.id.clone()));
    seen.take("incoming_transfers", wallet.incoming_transfers(account.id.clone()).await);
    for answer in [WRONG_PASSWORD.to_owned(), sandbox.users()[0].password.clone()] {
        seen.take("accept_transfer", wallet.accept_transfer(account.id.clone(), answer.clone()).await);
        seen.take("decline_transfer", wallet.decline_transfer(account.id.clone(), answer).await);
    }
    for ticket in phone.tickets() {
        let kept = seen.take("fetch_documents", wallet.fetch_documents(ticket.id).await);
        for document in kept.unwrap_or_default() {
            seen.take("document", wallet.document(document.id).map(|bytes| bytes.len()));
        }
    }
    seen.take("documents", wallet.documents(account.id.clone(), None));
    let asked = seen.take("request_code", wallet.request_code(end_user(&sandbox, "west"), user).await);
    let CodeSignIn { id } = asked.unwrap();
    for code in ["000000".to_owned(), WRONG_PASSWORD.to_owned()] {
        seen.take("a wrong code", wallet.sign_in_with_code(id.clone(), code).await);
    }
    for grant in [UnidyGrant::AuthorizationCode, UnidyGrant::Implicit] {
        let begun = wallet.begin_sign_in(partner(&sandbox, "nord", "app", grant)).await;
        let begun = seen.take("begin_sign_in", begun).unwrap();
        let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let reply = browser.get(&begun.url).send().await.unwrap();
        let back = reply.headers()["location"].to_str().unwrap().to_owned();
        for broken in
            [back.replace("state=", "state=x"), back.replace('?', "#?"), format!("https://x/{back}")]
        {
            seen.take("a redirect that answers nothing", wallet.complete_sign_in(broken).await);
        }
        seen.take("complete_sign_in", wallet.complete_sign_in(back.clone()).await);
        seen.take("the same again", wallet.complete_sign_in(back).await);
        codes.push(begun.state);
    }
    for path in [
        "/sign_ins",
        "/authenticate",
        "/refresh_token",
        "/api/sdk/v1/tickets",
        "/oauth/token",
        "/export_link",
    ] {
        for fault in faults() {
            if path.contains("token") {
                sandbox.revoke_tokens().unwrap();
            }
            sandbox.fault(at(path, fault));
            seen.take(path, wallet.sign_in(sign_in_to(&sandbox, "nord", 0)).await);
            seen.take(path, wallet.sync(None).await);
            if let Some(ticket) = phone.tickets().first() {
                seen.take(path, wallet.fetch_documents(ticket.id.clone()).await);
            }
            sandbox.clear_faults();
        }
    }
    codes.extend(look_around(&phone, &mut seen));
    assert!(seen.len() > 150, "{}", seen.len());
    let known = [WRONG_PASSWORD.to_owned(), id];
    assert_no_leak(&seen, &[sandbox.secrets(), codes, own_secrets(&phone), known.to_vec()].concat());
}

#[tokio::test]
async fn no_value_of_an_organiser_says_a_secret() {
    let (desk, mut seen) = (Desk::new().await, Scanner::default());
    let (holder, office) = (&desk.holder, &desk.office);
    let mut codes = look_around(holder, &mut seen);
    let wallet = &holder.wallet;
    let account = seen.take("accounts", wallet.accounts()).unwrap().swap_remove(0).id;
    seen.take("enroll", wallet.enroll(account.clone()).await);
    let certificate = seen.take("certificate", wallet.certificate(account.clone())).unwrap().unwrap();
    seen.look("Certificate", &certificate);
    seen.take("orders", wallet.orders(account.clone(), None).await);
    let listed = wallet.server_tickets(account.clone(), ServerTicketQuery::default()).await;
    seen.take("server_tickets", listed);
    seen.take("certificate_is_due", wallet.certificate_is_due(account.clone()).await);
    seen.take("own_offers", wallet.own_offers(account.clone(), None).await);
    let ticket = holder.tickets()[0].id.clone();
    seen.take("holder_questions", wallet.holder_questions(ticket.clone()).await);
    seen.take("fetch_documents", wallet.fetch_documents(ticket).await);
    seen.look("BoxOffice", office);
    let sign_in = organizer(&desk.sandbox, BamConfig::default());
    let wrong = SignIn { password: WRONG_PASSWORD.to_owned(), ..sign_in };
    seen.take("a wrong password", office.sign_in(wrong).await);
    seen.look("Reservation", &desk.order);
    let write = seen.take("reserve", office.reserve(desk.account.clone(), desk.order.clone()).await).unwrap();
    let tickets = ids(&write);
    let of = || desk.account.clone();
    seen.take("reserved", office.reserved(of(), None, desk.order.event_id).await);
    seen.take("server_tickets", office.server_tickets(of(), ServerTicketQuery::default()).await);
    seen.take("ticket_states", office.ticket_states(of(), None, tickets.clone()).await);
    seen.take("issue", office.issue(of(), None, tickets.clone()).await);
    seen.take("wait_until_issued", office.wait_until_issued(of(), None, tickets.clone(), 600).await);
    seen.take("a free too late", office.free(of(), None, tickets.clone()).await);
    for path in ["/reserve", "/issue", "/free", "/auth/"] {
        for fault in faults() {
            if path == "/auth/" {
                desk.sandbox.revoke_tokens().unwrap();
            }
            desk.sandbox.fault(at(path, fault));
            seen.take(path, office.reserve(of(), desk.order.clone()).await);
            seen.take(path, office.issue(of(), None, tickets.clone()).await);
            let lost = seen.take(path, office.free(of(), None, tickets.clone()).await);
            if let Some(write) = lost {
                seen.take(path, office.look_up_write(write.id).await);
            }
            desk.sandbox.clear_faults();
        }
    }
    seen.take("writes", office.writes(of(), 100));
    seen.take("accounts", office.accounts());
    codes.extend(look_around(holder, &mut seen));
    codes.extend(
        [certificate.enrollment_id, WRONG_PASSWORD.to_owned()].into_iter().filter(|id| id.len() >= 8),
    );
    assert!(seen.len() > 100, "{}", seen.len());
    assert_no_leak(&seen, &[desk.sandbox.secrets(), codes, own_secrets(holder)].concat());
}

#[tokio::test]
async fn no_value_of_a_partner_says_a_secret() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let (folder, mut seen) = (tempfile::tempdir().unwrap(), Scanner::default());
    let office = open(folder.path(), &clock);
    let server = server_of(&sandbox, "nord", "partner");
    seen.look("SignIn", &server);
    let wrong = SignIn { password: WRONG_PASSWORD.to_owned(), ..server.clone() };
    seen.take("a wrong secret", office.sign_in(wrong).await);
    let account = seen.take("sign_in", office.sign_in(server).await).unwrap().id;
    let page = seen.take("partner_tickets", office.partner_tickets(account.clone(), 1).await).unwrap();
    for ticket in &page.tickets {
        seen.look("OfficeTicket", ticket);
        seen.take("partner_ticket", office.partner_ticket(account.clone(), ticket.remote_id.clone()).await);
    }
    seen.take("categories", office.categories(account.clone()).await);
    seen.take("pages", office.pages(account.clone()).await);
    for fields in [WRONG_PASSWORD, "{}", r#"{"title": "Sommerfest"}"#] {
        seen.take("create_ticket", office.create_ticket(account.clone(), fields.to_owned()).await);
    }
    for path in ["/oauth/token", "/tickets", "/ticket_categories"] {
        for fault in faults() {
            if path == "/oauth/token" {
                sandbox.revoke_tokens().unwrap();
            }
            sandbox.fault(at(path, fault));
            seen.take(path, office.partner_tickets(account.clone(), 1).await);
            seen.take(path, office.categories(account.clone()).await);
            seen.take(path, office.delete_ticket(account.clone(), page.tickets[0].remote_id.clone()).await);
            sandbox.clear_faults();
        }
    }
    seen.take("writes", office.writes(account, 100));
    assert!(seen.len() > 50, "{}", seen.len());
    assert_no_leak(&seen, &[sandbox.secrets(), vec![WRONG_PASSWORD.to_owned()]].concat());
}
