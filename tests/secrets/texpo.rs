//! TEXPO: both sign-ins, a holder's and a manager's day, with every kind of fault.

use ticket_wallet::model::{
    Money, ProductFields, SignIn, SystemConfig, TexpoConfig, TexpoSignIn, TicketSystem,
};
use ticket_wallet_sandbox::{Fault, FaultRule, SandboxConfig, TexpoChoices};

use crate::desk::open;
use crate::phone::{Phone, TestClock, sandbox};
use crate::scanner::Scanner;
use crate::{WRONG_PASSWORD, assert_no_leak, look_around, own_secrets};

#[tokio::test]
async fn no_value_of_texpo_says_a_secret() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 1, ..SandboxConfig::default() }).await;
    let access = sandbox.texpo();
    let (phone, mut seen) = (Phone::new(&clock), Scanner::default());
    let sign_in = |name: &str, password: &str, place: TexpoSignIn| {
        let network_id = Some(access.network_id.clone());
        let texpo = TexpoConfig { network_id, sign_in: place, ..TexpoConfig::default() };
        SignIn {
            system: TicketSystem::Texpo,
            config: SystemConfig { texpo: Some(texpo), ..SystemConfig::at(&access.url) },
            user_name: name.to_owned(),
            password: password.to_owned(),
        }
    };
    let user = &sandbox.users()[0];
    for place in [TexpoSignIn::Adminserver, TexpoSignIn::UserApi] {
        seen.look("SignIn", &sign_in(&user.name, &user.password, place));
        let wrong = sign_in(&user.name, WRONG_PASSWORD, place);
        seen.take("a wrong password", phone.wallet.sign_in(wrong).await);
        let right = sign_in(&user.name, &user.password, place);
        seen.take("sign_in", phone.wallet.sign_in(right).await).unwrap();
        seen.take("sync", phone.wallet.sync(None).await).unwrap();
    }
    look_around(&phone, &mut seen);
    let ticket = phone.tickets().swap_remove(0).id;
    seen.take("fetch_documents", phone.wallet.fetch_documents(ticket.clone()).await);

    let folder = tempfile::tempdir().unwrap();
    let office = open(folder.path(), &clock);
    let manager = sign_in(&access.manager, &access.password, TexpoSignIn::Adminserver);
    let account = seen.take("the manager's sign_in", office.sign_in(manager).await).unwrap().id;
    let price = Some(Money { minor: 100, currency: "USD".to_owned() });
    let fields = ProductFields { price, ..ProductFields::default() };
    seen.look("ProductFields", &fields);
    for fault in [
        None,
        Some(Fault::ServerError),
        Some(Fault::TruncatedJson),
        Some(Fault::LostReply),
        Some(Fault::Unauthorized),
    ] {
        for error_has_http_status in [true, false] {
            sandbox.set_texpo_choices(TexpoChoices { error_has_http_status, ..TexpoChoices::default() });
            if let Some(fault) = fault.clone() {
                let path_contains = "/texpo/".to_owned();
                sandbox.fault(FaultRule { method: None, path_contains, skip: 1, times: 9, fault });
            }
            let id = || "new-1".to_owned();
            seen.take("catalogue", office.catalogue(account.clone()).await);
            seen.take("create", office.create_product(account.clone(), id(), fields.clone()).await);
            seen.take("update", office.update_product(account.clone(), id(), fields.clone()).await);
            seen.take("delete", office.delete_product(account.clone(), id()).await);
            seen.take("delete again", office.delete_product(account.clone(), id()).await);
            seen.take("sync", phone.wallet.sync(None).await);
            seen.take("fetch_documents", phone.wallet.fetch_documents(ticket.clone()).await);
            sandbox.clear_faults();
        }
    }
    seen.take("writes", office.writes(account, 100));
    sandbox.revoke_sessions().unwrap();
    seen.take("a sync without a session", phone.wallet.sync(None).await);
    let secrets: Vec<_> = sandbox.secrets().into_iter().chain(own_secrets(&phone)).collect();
    assert!(seen.len() > 40);
    assert_no_leak(&seen, &[secrets, vec![WRONG_PASSWORD.to_owned()]].concat());
}
