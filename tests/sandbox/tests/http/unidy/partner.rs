//! The partner API.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::{CreatedForm, ErrorForm, ListForm, UpdateVerb};

use super::oauth::{app_tokens, consenting, server_token};
use super::support::{Club, MIRA, answer, error, refusal};
use crate::support::Answer;

async fn ask(club: &Club, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let request = club.request(method, path).bearer_auth(token);
    answer(if body.is_null() { request } else { request.json(&body) }).await
}

async fn get(club: &Club, token: &str, path: &str) -> Answer {
    ask(club, token, Method::GET, path, Value::Null).await
}

/// What a new ticket is made of, for the owner of the document's ticket.
fn new_ticket() -> Value {
    json!({
        "title": "Neu",
        "reference": "NEW-1",
        "starts_at": "2027-07-01T20:00:00Z",
        "ends_at": null,
        "metadata": {"amount": "12.50", "nested": [1.1, null]},
        "price": "12.5",
        "user_id": "bf6e396d-4c5c-5e98-a09b-cab64e45etrz",
        "ticket_category_id": "ca97bb23-7a90-484a-bc8f-8de7c93d24673",
        "id": "mine",
        "created_at": "1999-01-01T00:00:00Z",
    })
}

#[tokio::test]
async fn tickets_are_created_read_changed_and_deleted() {
    let club = consenting().await;
    let token = server_token(&club, "tickets:read tickets:write").await;
    let created = ask(&club, &token, Method::POST, "/api/v1/tickets", new_ticket()).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let ticket = created.json();
    assert_eq!(
        (&ticket["state"], &ticket["price"], &ticket["text"]),
        (&json!("active"), &json!(12.5), &json!(null))
    );
    assert_eq!(ticket["starts_at"], "2027-07-01T22:00:00.000+02:00");
    assert_eq!(ticket["created_at"], "2027-01-15T09:00:00.000+01:00");
    assert!(
        created.text.contains(r#""metadata":{"amount":"12.50","nested":[1.1,null]}"#),
        "{}",
        created.text
    );
    let path = format!("/api/v1/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(get(&club, &token, &path).await.json(), ticket);
    assert_eq!(club.ticket(&club.jwt(MIRA).await, "NEW-1").await, ticket);
    club.world.pass(60);
    let change = json!({"ticket": {"state": "passive", "venue": "Halle"}});
    let changed = ask(&club, &token, Method::PUT, &path, change).await;
    assert_eq!(changed.status, 200);
    assert_eq!((&changed.json()["state"], &changed.json()["title"]), (&json!("passive"), &ticket["title"]));
    assert_eq!(changed.json()["updated_at"], "2027-01-15T09:01:00.000+01:00");
    let patched = ask(&club, &token, Method::PATCH, &path, json!({"venue": null})).await;
    assert_eq!((&patched.json()["venue"], &patched.json()["state"]), (&json!(null), &json!("passive")));
    let deleted = ask(&club, &token, Method::DELETE, &path, Value::Null).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let gone = ask(&club, &token, method, &path, json!({})).await;
        assert_eq!(refusal(&gone), error(404, "not_found"));
    }
    let journal = club.world.sandbox.journal().unwrap();
    let kinds: Vec<_> = journal.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["unidy.ticket.create", "unidy.ticket.update", "unidy.ticket.update", "unidy.ticket.delete"]
    );
    assert_eq!(journal[1].detail["members"], json!(["state", "venue"]));
}

#[tokio::test]
async fn lists_take_the_sdks_parameters_and_a_user() {
    let club = consenting().await;
    let token = server_token(&club, "tickets:read").await;
    let all = get(&club, &token, "/api/v1/tickets?limit=250").await.json();
    let mine = club.tickets(&club.jwt(MIRA).await).await;
    let id = mine[0]["user_id"].as_str().unwrap();
    let of_user = get(&club, &token, &format!("/api/v1/tickets?limit=250&user_id={id}")).await.json();
    assert_eq!(of_user["results"], json!(mine));
    assert!(all["meta"]["count"].as_u64().unwrap() > mine.len() as u64);
    let nobody = get(&club, &token, "/api/v1/tickets?user_id=x").await.json();
    assert_eq!(nobody["meta"]["count"], 0);
    let passive =
        get(&club, &token, &format!("/api/v1/tickets?state=passive&user_id={id}&limit=1")).await.json();
    assert_eq!((passive["results"].as_array().unwrap().len(), &passive["meta"]["next"]), (1, &json!(2)));
    assert_eq!(get(&club, &token, "/api/v1/tickets?limit=251").await.status, 422);
}

#[tokio::test]
async fn categories_are_read() {
    let club = consenting().await;
    let token = server_token(&club, "tickets:read").await;
    let list = get(&club, &token, "/api/v1/ticket_categories").await.json();
    let categories = list["results"].as_array().unwrap();
    assert_eq!((categories.len(), &list["meta"]["count"]), (5, &json!(5)));
    let second = get(&club, &token, "/api/v1/ticket_categories?limit=2&page=2").await.json();
    assert_eq!(second["results"][0], categories[2]);
    let document = categories.iter().find(|it| it["id"] == "ca97bb23-7a90-484a-bc8f-8de7c93d24673").unwrap();
    let one = get(&club, &token, "/api/v1/ticket_categories/ca97bb23-7a90-484a-bc8f-8de7c93d24673").await;
    assert_eq!((one.status.as_u16(), &one.json()), (200, document));
    let empty =
        categories.iter().find(|it| it["title"] == "Noch ohne Karten").unwrap()["id"].as_str().unwrap();
    let none = get(&club, &token, &format!("/api/v1/tickets?ticket_category_id={empty}")).await.json();
    assert_eq!(none["meta"]["count"], 0);
    assert_eq!(get(&club, &token, "/api/v1/ticket_categories/x").await.status, 404);
    assert_eq!(ask(&club, &token, Method::POST, "/api/v1/ticket_categories", json!({})).await.status, 405);
}

#[tokio::test]
async fn tokens_and_their_scopes_are_asked_for() {
    let club = consenting().await;
    let (read, write) =
        (server_token(&club, "tickets:read").await, server_token(&club, "tickets:write").await);
    let id = club.tickets(&club.jwt(MIRA).await).await[0]["id"].as_str().unwrap().to_owned();
    let one = format!("/api/v1/tickets/{id}");
    for (method, path, scope) in [
        (Method::GET, "/api/v1/tickets", "read"),
        (Method::GET, &one, "read"),
        (Method::GET, "/api/v1/ticket_categories", "read"),
        (Method::GET, "/api/v1/ticket_categories/x", "read"),
        (Method::POST, "/api/v1/tickets", "write"),
        (Method::PATCH, &one, "write"),
        (Method::DELETE, &one, "write"),
    ] {
        let other = if scope == "read" { &write } else { &read };
        let refused = ask(&club, other, method.clone(), path, json!({})).await;
        assert_eq!(refusal(&refused), error(403, "insufficient_scope"), "{method} {path}");
        let refused = ask(&club, "x", method.clone(), path, json!({})).await;
        assert_eq!(refusal(&refused), error(401, "unauthorized"), "{method} {path}");
        assert!(refused.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(answer(club.request(method, path)).await.status, 401);
    }
    let other = club.world.client.get(format!("{}/api/v1/tickets", club.other().url)).bearer_auth(&read);
    assert_eq!(answer(other).await.status, 401, "another brand's token");
    club.world.pass(7200);
    assert_eq!(get(&club, &read, "/api/v1/tickets").await.status, 401);
}

#[tokio::test]
async fn a_users_token_is_good_for_that_users_tickets() {
    let club = consenting().await;
    let tokens = app_tokens(&club, "tickets:read tickets:write").await;
    let token = tokens["access_token"].as_str().unwrap();
    let (mine, others) = (
        club.tickets(&club.jwt(MIRA).await).await,
        club.tickets(&club.jwt(super::support::JONAS).await).await,
    );
    let list = get(&club, token, "/api/v1/tickets?limit=250").await.json();
    assert_eq!(list["results"], json!(mine));
    let foreign = format!("/api/v1/tickets/{}", others[0]["id"].as_str().unwrap());
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        let refused = ask(&club, token, method, &foreign, json!({})).await;
        assert_eq!(refusal(&refused), error(403, "forbidden"));
    }
    let of_other = format!("/api/v1/tickets?user_id={}", others[0]["user_id"].as_str().unwrap());
    assert_eq!(get(&club, token, &of_other).await.status, 403);
    let mut new = new_ticket();
    new["user_id"] = others[0]["user_id"].clone();
    assert_eq!(ask(&club, token, Method::POST, "/api/v1/tickets", new.clone()).await.status, 403);
    new.as_object_mut().unwrap().remove("user_id");
    let own = ask(&club, token, Method::POST, "/api/v1/tickets", new).await;
    assert_eq!((own.status.as_u16(), &own.json()["user_id"]), (201, &mine[0]["user_id"]));
    let path = format!("/api/v1/tickets/{}", own.json()["id"].as_str().unwrap());
    let away = ask(&club, token, Method::PATCH, &path, json!({"user_id": others[0]["user_id"]})).await;
    assert_eq!(away.status, 403);
    assert_eq!(ask(&club, token, Method::DELETE, &path, Value::Null).await.status, 204);
}

#[tokio::test]
async fn wrong_fields_are_told_all_at_once() {
    let club = consenting().await;
    let token = server_token(&club, "tickets:read tickets:write").await;
    let post = async |body: Value| ask(&club, &token, Method::POST, "/api/v1/tickets", body).await;
    let empty = post(json!({})).await;
    let blank = json!(["can't be blank"]);
    let details = json!({"title": blank, "reference": blank, "starts_at": blank, "user_id": blank, "ticket_category_id": blank});
    assert_eq!((empty.status.as_u16(), empty.json()), (422, json!({"error_details": details})));
    for (name, value, words) in [
        ("title", json!(" "), "can't be blank"),
        ("title", json!(7), "must be a string"),
        ("state", json!("gone"), "is not included in the list"),
        ("starts_at", json!("tomorrow"), "is not a valid time"),
        ("ends_at", json!(0), "is not a valid time"),
        ("price", json!("much"), "is not a number"),
        ("price", json!(1_000_000), "must be less than 1000000"),
        ("currency", json!("EURO"), "is the wrong length"),
        ("user_id", json!("x"), "must exist"),
        ("ticket_category_id", json!("x"), "must exist"),
    ] {
        let mut body = new_ticket();
        body[name] = value;
        let wrong = post(body).await;
        assert_eq!(
            (wrong.status.as_u16(), &wrong.json()["error_details"][name]),
            (422, &json!([words])),
            "{name}"
        );
    }
    club.choose(|choices| choices.errors = ErrorForm::Identifier);
    let mut body = new_ticket();
    body["state"] = json!("gone");
    let named = json!({"error_identifier": "schema_validation_error", "errors": ["state is not included in the list"]});
    assert_eq!(post(body).await.json(), named);
    let broken = club.request(Method::POST, "/api/v1/tickets").bearer_auth(&token).body("{");
    assert_eq!(answer(broken).await.status, 400);
}

#[tokio::test]
async fn paths_and_forms_are_switched() {
    let club = consenting().await;
    let token = server_token(&club, "tickets:read tickets:write").await;
    club.choose(|choices| choices.partner_list = ListForm::Named);
    let named = get(&club, &token, "/api/v1/tickets?limit=3").await.json();
    assert_eq!((named["tickets"].as_array().unwrap().len(), named.as_object().unwrap().len()), (3, 1));
    assert!(get(&club, &token, "/api/v1/ticket_categories").await.json()["ticket_categories"].is_array());
    club.choose(|choices| choices.partner_list = ListForm::Bare);
    assert_eq!(get(&club, &token, "/api/v1/tickets?limit=3").await.json().as_array().unwrap().len(), 3);
    club.choose(|choices| choices.created = CreatedForm::Location);
    let created = ask(&club, &token, Method::POST, "/api/v1/tickets", new_ticket()).await;
    assert_eq!((created.status.as_u16(), created.text.as_str()), (204, ""));
    let address = created.header("location").strip_prefix(&club.brand.url).unwrap().to_owned();
    assert_eq!(get(&club, &token, &address).await.json()["reference"], "NEW-1");
    for (update, takes) in
        [(UpdateVerb::Any, [200, 200]), (UpdateVerb::Patch, [200, 405]), (UpdateVerb::Put, [405, 200])]
    {
        club.choose(|choices| choices.update = update);
        for (verb, status) in [Method::PATCH, Method::PUT].into_iter().zip(takes) {
            let answer = ask(&club, &token, verb, &address, json!({"venue": "Arena"})).await;
            assert_eq!(answer.status, status, "{update:?}");
        }
    }
    club.choose(|choices| (choices.partner_list, choices.count_only) = (ListForm::Results, true));
    let counted = get(&club, &token, "/api/v1/tickets?limit=3").await.json()["meta"].clone();
    assert_eq!((counted.as_object().unwrap().len(), &counted["limit"]), (3, &json!(3)));
    club.choose(|choices| choices.partner_list = ListForm::Bare);
    club.choose(|choices| {
        choices.partner_prefix = "partner/v2/".to_owned();
        choices.tickets_path = "my/passes".to_owned();
        choices.categories_path = "kinds".to_owned();
    });
    assert_eq!(get(&club, &token, "/api/v1/tickets").await.status, 404);
    assert_eq!(get(&club, &token, "/partner/v2/my/passes?limit=3").await.json().as_array().unwrap().len(), 3);
    let id = address.rsplit('/').next().unwrap();
    assert_eq!(get(&club, &token, &format!("/partner/v2/my/passes/{id}")).await.status, 200);
    assert_eq!(get(&club, &token, "/partner/v2/kinds").await.status, 200);
    club.choose(|choices| {
        choices.partner_prefix = String::new();
        choices.tickets_path = "tickets".to_owned();
    });
    assert!(get(&club, &token, "/tickets?limit=3").await.json().is_array());
}
