//! E-mail that a server is asked to send.

use ticket_wallet::WalletError;
use ticket_wallet::model::MailRequest;
use ticket_wallet_sandbox::{Fault, FaultRule, SandboxConfig};

use crate::phone::{Phone, TestClock, sandbox};

#[tokio::test]
async fn an_order_s_e_mail_is_asked_for_once_and_a_lost_answer_is_unknown() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    let account = phone.sign_in(&sandbox, 0).await.id;
    let tenant = Some("nordhafen".to_owned());
    let orders = phone.wallet.orders(account.clone(), tenant.clone()).await.unwrap();
    let order = orders.into_iter().find(|order| order.format.as_deref() == Some("PDF")).unwrap().remote_id;
    let email =
        async |order: &str| phone.wallet.email_order(account.clone(), tenant.clone(), order.to_owned()).await;
    let asked = || sandbox.requests().iter().filter(|one| one.ends_with("/email_tickets")).count();
    assert_eq!(email(&order).await.unwrap(), MailRequest::Taken);
    for (number, fault) in [Fault::LostReply, Fault::Reset, Fault::ServerError].into_iter().enumerate() {
        let path_contains = "email_tickets".to_owned();
        sandbox.fault(FaultRule { method: None, path_contains, skip: 0, times: 1, fault });
        assert_eq!(email(&order).await.unwrap(), MailRequest::Unknown);
        assert_eq!(asked(), number + 2, "never repeated");
    }
    assert!(matches!(email("4711").await, Err(WalletError::Refused { status: 404, .. })));
}
