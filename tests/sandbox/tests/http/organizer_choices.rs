//! Forms of bodies and lists that an organizer's documents leave open.

use serde_json::{Value, json};
use ticket_wallet_sandbox::{BamChoices, IdsForm, ReserveReply};

use crate::organizers::{Desk, RESERVE, TICKET};

#[tokio::test]
async fn tickets_are_named_in_the_chosen_form_alone() {
    let bodies = |ids: &[Value]| {
        [
            (IdsForm::Member, json!({"ids": ids})),
            (IdsForm::List, json!(ids)),
            (IdsForm::Objects, json!({"ids": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>()})),
            (IdsForm::Single, json!({"ids": ids[0]})),
        ]
    };
    for (ids_form, _) in bodies(&[json!(1)]) {
        let choices = BamChoices { ids_form, reserve_reply: ReserveReply::List, ..BamChoices::default() };
        let desk = Desk::open_with(choices).await;
        let reply = desk.world.post(&desk.token, RESERVE, desk.reservation(1)).await.json();
        let ids: Vec<_> = reply.as_array().unwrap().iter().map(|ticket| ticket["id"].clone()).collect();
        let (right, wrong): (Vec<_>, Vec<_>) =
            bodies(&ids).into_iter().partition(|(form, _)| *form == ids_form);
        for (form, body) in wrong {
            let refused = desk.world.post(&desk.token, &format!("{TICKET}/free"), body).await;
            assert_eq!(refused.status, 422, "{ids_form:?}, {form:?}");
        }
        let freed = desk.world.post(&desk.token, &format!("{TICKET}/free"), right[0].1.clone()).await;
        assert_eq!(freed.status, 200, "{ids_form:?}");
    }
}

#[tokio::test]
async fn a_list_can_be_behind_and_tell_no_owners() {
    let choices = BamChoices { unlisted_last: 1, owners_listed: false, ..BamChoices::default() };
    let desk = Desk::open_with(choices).await;
    let reserved = desk.reserve(3).await;
    let list = format!("{TICKET}?status=reserved&with_enrollment_id=true");
    let listed = desk.world.get(&desk.token, &list).await.json();
    let listed = listed["data"].as_array().unwrap();
    assert_eq!((listed.len(), listed[0].get("enrollment_id")), (2, None));
    desk.world.sandbox.set_bam_choices(BamChoices::default());
    let listed = desk.world.get(&desk.token, &list).await.json();
    let listed = listed["data"].as_array().unwrap();
    assert!(
        listed.len() == 3 && listed.iter().all(|ticket| ticket["enrollment_id"].is_string()),
        "{reserved:?}"
    );
}
