//! Events of all tenants, and the questions that their holders are asked.

use serde_json::{Value, json};

use crate::support::World;

async fn list(world: &World, query: &str) -> Value {
    world.get("", &format!("/v1/event?{query}")).await.json()
}

fn names(list: &Value) -> Vec<&str> {
    list["data"].as_array().unwrap().iter().map(|event| event["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_the_events_of_all_tenants() {
    let world = World::start().await;
    let all = list(&world, "with=ticket_config").await;
    assert_eq!((names(&all).len(), &all["paging"]["total"]), (12, &json!(12)));
    let starts: Vec<_> =
        all["data"].as_array().unwrap().iter().map(|event| event["start_at"].as_str().unwrap()).collect();
    assert!(starts.is_sorted());
    assert_eq!(all["data"][0]["ticket_config"].as_array().unwrap().len(), 3);
    assert!(all["data"][0]["ticket_config"][0]["available_tickets"].is_i64());
    assert!(list(&world, "").await["data"][0].get("ticket_config").is_none());
    assert_eq!(names(&list(&world, "organizer_id=eschenried").await).len(), 3);
    assert_eq!(names(&list(&world, "organizer_id=103").await).len(), 3);
    assert_eq!(names(&list(&world, "q=BRACKWATER").await), ["FC Nordhafen 1909 – 1. FC Brackwater"]);
    assert_eq!(names(&list(&world, "sort_by=name&direction=desc&limit=2").await).len(), 2);
    let span = "start_at=2027-01-15T00:00:00Z;2027-01-20T00:00:00Z";
    assert_eq!(names(&list(&world, span).await).len(), 2);
    assert!(names(&list(&world, "future_events=true").await).len() == 12);
    for query in ["with=sector", "sort_by=x", "direction=x", "limit=0", "start_at=x"] {
        assert_eq!(world.get("", &format!("/v1/event?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_holder_sees_the_events_of_secure_tickets() {
    let world = World::start().await;
    let token = world.token().await;
    let mine = world.get(&token, "/v1/my_events?date=future").await.json();
    let events = mine["data"].as_array().unwrap();
    assert!(!events.is_empty() && events.len() <= 12);
    for event in events {
        assert!(event["organizer"]["organization_name"].is_string());
        let holds = event["ticket_config"]
            .as_array()
            .unwrap()
            .iter()
            .map(|config| config["user_holds"].as_i64().unwrap());
        assert!(holds.sum::<i64>() > 0);
    }
    assert_eq!(world.get(&token, "/v1/my_events?date=past").await.json(), json!({"data": []}));
    assert_eq!(world.get(&token, "/v1/my_events?date=x").await.status, 400);
    assert_eq!(world.get("x", "/v1/my_events").await.status, 401);
    assert_eq!(world.get("", "/v1/event/external").await.json(), json!({"data": []}));
    let categories = world.get("", "/v1/category?with=subcategory").await.json();
    assert!(categories["data"][0]["subcategory"][0]["name"].is_string() && categories["links"].is_object());
    assert!(world.get("", "/v1/category").await.json()["data"][0].get("subcategory").is_none());
}

#[tokio::test]
async fn an_answer_comes_with_its_questions_when_they_are_asked_for() {
    let world = World::start().await;
    let token = world.token().await;
    let path = "/t/nordhafen/event/v1/ticket/1/ticket_holder";
    let created = world.post(&token, path, json!({"response": {"shirt": "M"}})).await.json()["data"].clone();
    assert!(created.get("questionnaire").is_none());
    let with = "with=questionnaire.questionnaire_item.question";
    let one = world.get(&token, &format!("{path}/1?{with}")).await.json()["data"].clone();
    let items = one["questionnaire"]["questionnaire_item"].as_array().unwrap();
    for item in items {
        assert!(item["required"].is_boolean() && item["ordinal_number"].is_i64());
        let question = &item["question"];
        assert!(
            question["key"].is_string() && question["type"].is_string() && question["content"].is_string()
        );
    }
    assert_eq!(items[0]["question"]["key"], "shirt");
    let list = world.get(&token, &format!("{path}?{with}")).await.json();
    assert_eq!(list, json!({"data": [one]}));
    let bare = world.get(&token, &format!("{path}/1?with=questionnaire")).await.json()["data"].clone();
    assert!(bare["questionnaire"].get("questionnaire_item").is_none());
    assert_eq!(world.get(&token, &format!("{path}/1?with=ticket")).await.status, 400);
}
