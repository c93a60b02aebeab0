//! TEXPO as tests in other languages see it: over HTTP alone.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

async fn ask(world: &World, method: Method, path: &str, session: &str, body: Option<Value>) -> (u16, String) {
    let url = format!("{}{path}", world.sandbox.url());
    let mut request = world.client.request(method, url).header("X-Network-Id", "expo-2026");
    if !session.is_empty() {
        request = request.header("X-Session-Id", session);
    }
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

async fn json_of(world: &World, method: Method, path: &str, session: &str, body: Option<Value>) -> Value {
    let (status, text) = ask(world, method, path, session, body).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

async fn session_of(world: &World, name: &str, password: &str) -> String {
    let credentials = json!({"email": name, "password": password});
    let reply = json_of(world, Method::POST, "/texpo/auth/login", "", Some(credentials)).await;
    let names: Vec<_> = reply.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["sessionId", "userId", "preferredNetworkId", "preferredNetworkName"]);
    reply["sessionId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_control_routes_do_what_the_handle_does() {
    let world = World::start().await;
    let access = json_of(&world, Method::GET, "/sandbox/texpo", "", None).await;
    assert_eq!(access["url"], json!(format!("{}/texpo", world.sandbox.url())));
    let texts = ["manager", "password"].map(|name| access[name].as_str().unwrap().to_owned());
    let session = session_of(&world, &texts[0], &texts[1]).await;
    let list = "/texpo/jsonRpc/ticket.getPurchasableTickets";
    for count in [3, 0] {
        let path = format!("/sandbox/texpo/catalogue/{count}");
        assert_eq!(ask(&world, Method::PUT, &path, "", None).await.0, 204);
        let found = json_of(&world, Method::POST, list, &session, Some(json!({}))).await;
        assert_eq!(found["data"]["tickets"].as_array().unwrap().len(), count);
    }
    let entry = json!({"productId": "a", "price": 1.5});
    assert_eq!(ask(&world, Method::PUT, "/sandbox/texpo/entries", "", Some(entry)).await.0, 204);
    assert_eq!(ask(&world, Method::PUT, "/sandbox/texpo/entries", "", Some(json!({}))).await.0, 400);
    let user = world.sandbox.users()[0].clone();
    let bought = json!({"user": user.name, "product_id": "a"});
    let ticket = json_of(&world, Method::POST, "/sandbox/texpo/tickets", "", Some(bought)).await;
    let path = format!("/sandbox/texpo/tickets/{}", ticket["id"].as_str().unwrap());
    assert_eq!(ask(&world, Method::DELETE, &path, "", None).await.0, 204);
    assert_eq!(ask(&world, Method::DELETE, &path, "", None).await.0, 404);
    let mut choices = json_of(&world, Method::GET, "/sandbox/texpo/choices", "", None).await;
    choices["success_error"] = json!("zero");
    let put = ask(&world, Method::PUT, "/sandbox/texpo/choices", "", Some(choices)).await;
    assert_eq!(put.0, 204);
    let found = json_of(&world, Method::POST, list, &session, Some(json!({}))).await;
    assert_eq!(found["error"], json!({"status": false, "code": 0, "message": ""}));
    assert_eq!(found["data"]["tickets"][0]["productId"], "a");
}

#[tokio::test]
async fn sessions_and_permissions_are_asked_for() {
    let world = World::start().await;
    let user = world.sandbox.users()[0].clone();
    let list = "/texpo/jsonRpc/ticket.getPurchasableTickets";
    let code = |reply: &Value| reply["error"]["code"].as_i64();
    let nobody = json_of(&world, Method::POST, list, "no-session", Some(json!({}))).await;
    assert_eq!(code(&nobody), Some(401));
    let session = session_of(&world, &user.name, &user.password).await;
    assert!(world.sandbox.secrets().contains(&session));
    let denied = json_of(&world, Method::POST, list, &session, Some(json!({}))).await;
    assert_eq!((code(&denied), &denied["error"]["status"]), (Some(403), &json!(true)));
    let own = "/texpo/api/v0/rpc/ticket.getPurchasedTickets";
    let own = json_of(&world, Method::POST, own, &session, Some(json!({}))).await;
    let ticket = &own["data"]["tickets"][0];
    assert!(["ticketId", "userId", "purchaseDate", "productId"].iter().all(|name| !ticket[name].is_null()));
    let path = format!("/texpo/api/v0/resource/ticket/{}", ticket["ticketId"].as_str().unwrap());
    assert!(ask(&world, Method::GET, &path, &session, None).await.1.starts_with("%PDF-"));
    assert_eq!(ask(&world, Method::GET, "/texpo/nowhere", &session, None).await.0, 404);
    let get = json_of(&world, Method::GET, list, &session, None).await;
    assert_eq!(code(&get), Some(405));
    assert_eq!(ask(&world, Method::POST, "/texpo/auth/logout", &session, Some(json!({}))).await.1, "{}");
    let over = json_of(&world, Method::POST, "/texpo/auth/check", &session, Some(json!({}))).await;
    assert_eq!(code(&over), Some(401));
}
