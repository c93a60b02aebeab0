//! ID tokens and the keys to check them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use reqwest::Method;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::{Value, json};
use ticket_wallet_sandbox::IdTokenAlgorithm;

use super::{app_tokens, client, consenting, token};
use crate::unidy::support::{Club, MIRA, answer};

fn part(token: &str, number: usize) -> Value {
    let text = BASE64.decode(token.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Checks a token with the brand's published keys; tells its algorithm and its claims.
async fn checked(club: &Club, token: &str) -> (String, Value) {
    let header = part(token, 0);
    let keys = answer(club.request(Method::GET, "/oauth/jwks")).await.json();
    let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let bytes = |name: &str| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = BASE64.decode(signature).unwrap();
    assert_eq!(key["alg"], header["alg"]);
    match key["kty"].as_str().unwrap() {
        "RSA" => RsaPublicKeyComponents { n: bytes("n"), e: bytes("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .unwrap(),
        _ => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(signed.as_bytes(), &signature).unwrap();
        }
    }
    (header["alg"].as_str().unwrap().to_owned(), part(token, 1))
}

#[tokio::test]
async fn they_say_who_for_whom_and_from_whom_and_are_signed() {
    let club = consenting().await;
    for (algorithm, name) in [(IdTokenAlgorithm::Rs256, "RS256"), (IdTokenAlgorithm::Es256, "ES256")] {
        club.choose(|choices| choices.id_token_algorithm = algorithm);
        let tokens = app_tokens(&club, "openid email").await;
        let (told, claims) = checked(&club, tokens["id_token"].as_str().unwrap()).await;
        assert_eq!(told, name);
        let now = club.world.now();
        assert_eq!((&claims["iss"], &claims["nonce"]), (&json!(club.brand.url), &json!("n")));
        assert_eq!(
            (&claims["aud"], &claims["email"]),
            (&json!(client(&club, "app").client_id), &json!(MIRA))
        );
        assert_eq!(
            (&claims["iat"], &claims["exp"], &claims["auth_time"]),
            (&json!(now), &json!(now + 3600), &json!(now))
        );
        assert_eq!(claims["sub"], "bf6e396d-4c5c-5e98-a09b-cab64e45etrz");
        let (told, _) = checked(&club, &club.jwt(MIRA).await).await;
        assert_eq!(told, name, "the SDK's are signed alike");
    }
}

#[tokio::test]
async fn one_of_oauth_opens_the_sdk_api_too() {
    let club = consenting().await;
    let tokens = app_tokens(&club, "openid").await;
    let id_token = tokens["id_token"].as_str().unwrap();
    assert_eq!(club.get(id_token, "/tickets").await.status, 200);
    let tampered = format!("{}x", &id_token[..id_token.len() - 1]);
    assert_eq!(club.get(&tampered, "/tickets").await.status, 401);
    assert!(app_tokens(&club, "tickets:read").await.get("id_token").is_none());
    let refresh = json!({
        "grant_type": "refresh_token",
        "client_id": client(&club, "app").client_id,
        "refresh_token": tokens["refresh_token"],
    });
    let renewed = token(&club, refresh).await.json();
    let (_, claims) = checked(&club, renewed["id_token"].as_str().unwrap()).await;
    assert_eq!(claims.get("nonce"), None);
}
