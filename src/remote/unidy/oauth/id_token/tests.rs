use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::*;

const NOW: i64 = 1_795_219_200;

struct Signer(EcdsaKeyPair);

impl Signer {
    fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap())
    }

    fn jwk(&self, id: &str) -> Value {
        let point = self.0.public_key().as_ref();
        let text = |bytes| BASE64URL.encode(bytes);
        json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": text(&point[1..33]), "y": text(&point[33..]) })
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL.encode(signature))
    }
}

fn jwks(keys: &[Value]) -> Jwks {
    Jwks::read(&json!({ "keys": keys })).unwrap()
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "k1", "typ": "JWT" })
}

fn claims() -> Value {
    json!({
        "iss": "https://nord.example", "aud": "app", "sub": "user-1", "exp": NOW + 7200, "iat": NOW, "nonce": "n",
        "email": "anna@example.org", "sid": "s-1",
    })
}

fn expected() -> Expected<'static> {
    Expected {
        issuer: "https://nord.example",
        client_id: "app",
        nonce: Some("n"),
        access_token: Some("access"),
        through_browser: false,
        now: NOW,
    }
}

fn check(token: &str, keys: Option<&Jwks>, expected: Expected<'_>) -> Result<IdClaims, IdTokenFault> {
    IdToken::read(token)?.check(keys, expected)
}

#[test]
fn a_good_token_says_who_signed_in() {
    let signer = Signer::new();
    let keys = jwks(&[json!({ "kty": "OKP", "kid": "k1" }), Signer::new().jwk("k0"), signer.jwk("k1")]);
    let claims = check(&signer.token(&header(), &claims()), Some(&keys), expected()).unwrap();
    assert_eq!((claims.subject.as_str(), claims.expires_at), ("user-1", NOW + 7200));
    assert_eq!(
        (claims.email.as_deref(), claims.session_id.as_deref()),
        (Some("anna@example.org"), Some("s-1"))
    );
    assert_eq!(format!("{claims:?}"), "IdClaims(..)");
}

#[test]
fn each_claim_is_checked() {
    let (signer, good) = (Signer::new(), claims());
    let keys = jwks(&[signer.jwk("k1")]);
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        check(&signer.token(&header(), &claims), Some(&keys), expected()).err()
    };
    let missing = Value::Null;
    for (name, value, fault) in [
        ("iss", json!("https://west.example"), Some(IdTokenFault::Issuer)),
        ("iss", json!("https://nord.example/"), Some(IdTokenFault::Issuer)),
        ("iss", missing.clone(), Some(IdTokenFault::Issuer)),
        ("aud", json!("other"), Some(IdTokenFault::Audience)),
        ("aud", json!([]), Some(IdTokenFault::Audience)),
        ("aud", json!(["app"]), None),
        ("aud", json!(["app", "other"]), Some(IdTokenFault::Audience)),
        ("azp", json!("other"), Some(IdTokenFault::Audience)),
        ("azp", json!("app"), None),
        ("aud", missing.clone(), Some(IdTokenFault::Audience)),
        ("exp", json!(NOW - 60), Some(IdTokenFault::Expired)),
        ("exp", json!(NOW - 59), None),
        ("exp", json!(f64::from(u32::MAX) + 0.5), None),
        ("exp", json!("soon"), Some(IdTokenFault::Expired)),
        ("exp", missing.clone(), Some(IdTokenFault::Expired)),
        ("exp", json!(i64::MAX), None),
        ("exp", json!(i64::MIN), Some(IdTokenFault::Expired)),
        ("nonce", json!("other"), Some(IdTokenFault::Nonce)),
        ("nonce", missing.clone(), Some(IdTokenFault::Nonce)),
        ("sub", json!(""), Some(IdTokenFault::Subject)),
        ("sub", missing, Some(IdTokenFault::Subject)),
        ("at_hash", json!("AAAA"), Some(IdTokenFault::AccessToken)),
        ("email", json!(7), None),
    ] {
        assert_eq!(with(name, value.clone()), fault, "{name} {value}");
    }
    let mut several = good;
    several["aud"] = json!(["other", "app"]);
    several["azp"] = json!("app");
    assert!(check(&signer.token(&header(), &several), Some(&keys), expected()).is_ok());
}

#[test]
fn the_signature_is_checked_by_the_key_it_names() {
    let (signer, other) = (Signer::new(), Signer::new());
    let token = signer.token(&header(), &claims());
    let found = |keys: &[Value]| check(&token, Some(&jwks(keys)), expected()).err();
    let without_id = |mut key: Value| {
        key.as_object_mut().unwrap().shift_remove("kid");
        key
    };
    assert_eq!(found(&[other.jwk("k2"), without_id(signer.jwk("k1"))]), None);
    assert_eq!(found(&[other.jwk("k1")]), Some(IdTokenFault::Signature));
    assert_eq!(found(&[other.jwk("k1"), signer.jwk("k1")]), None, "a key id that stands there twice");
    assert_eq!(found(&[signer.jwk("k2")]), Some(IdTokenFault::Key));
    assert_eq!(found(&[]), Some(IdTokenFault::Key));
    for (member, value) in [("use", "enc"), ("alg", "ES384"), ("alg", "RS256"), ("crv", "P-384"), ("x", "AA")]
    {
        let mut key = signer.jwk("k1");
        key[member] = json!(value);
        assert_eq!(found(&[key]), Some(IdTokenFault::Key), "{member}");
    }
    let unnamed = signer.token(&json!({ "alg": "ES256" }), &claims());
    assert!(check(&unnamed, Some(&jwks(&[other.jwk("k2"), signer.jwk("k1")])), expected()).is_ok());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", BASE64URL.encode([1; 64]));
    let found = check(&forged, Some(&jwks(&[signer.jwk("k1")])), expected());
    assert_eq!(found.err(), Some(IdTokenFault::Signature));
}

#[test]
fn without_keys_only_the_connection_vouches() {
    let token = Signer::new().token(&header(), &claims());
    assert!(check(&token, None, expected()).is_ok());
    let through_browser = Expected { through_browser: true, ..expected() };
    assert_eq!(check(&token, None, through_browser).err(), Some(IdTokenFault::Key));
}

#[test]
fn through_the_browser_the_access_token_is_hashed() {
    let signer = Signer::new();
    let keys = jwks(&[signer.jwk("k1")]);
    let through_browser = Expected { through_browser: true, ..expected() };
    let with = |hash: Option<String>| {
        let mut claims = claims();
        claims["at_hash"] = json!(hash);
        check(&signer.token(&header(), &claims), Some(&keys), through_browser).err()
    };
    let hash = |token: &str| BASE64URL.encode(&digest(&SHA256, token.as_bytes()).as_ref()[..16]);
    assert_eq!(with(Some(hash("access"))), None);
    assert_eq!(with(Some(hash("another"))), Some(IdTokenFault::AccessToken));
    assert_eq!(with(None), Some(IdTokenFault::AccessToken));
    let alone = Expected { access_token: None, ..through_browser };
    assert!(check(&signer.token(&header(), &claims()), Some(&keys), alone).is_ok());
}

#[test]
fn what_is_no_signed_token_is_refused() {
    let signer = Signer::new();
    for (header, fault) in [
        (json!({ "alg": "none" }), IdTokenFault::Algorithm),
        (json!({ "alg": "HS256" }), IdTokenFault::Algorithm),
        (json!({ "alg": "es256" }), IdTokenFault::Algorithm),
        (json!({ "alg": 7 }), IdTokenFault::Algorithm),
        (json!({}), IdTokenFault::Algorithm),
        (json!({ "alg": "ES256", "crit": ["exp"] }), IdTokenFault::Algorithm),
        (json!([]), IdTokenFault::Form),
    ] {
        let token = signer.token(&header, &claims());
        assert_eq!(IdToken::read(&token).err(), Some(fault), "{header}");
    }
    let long = format!("{}.a.a", "a".repeat(MAX_BYTES));
    for text in ["", "a", "a.b", "..", "e30.e30", "e30.e30.!", "!.e30.AA", &long] {
        assert!(IdToken::read(text).is_err(), "{text:.20}");
    }
    let token = signer.token(&header(), &json!("claims"));
    assert_eq!(IdToken::read(&token).err(), Some(IdTokenFault::Form));
}

/// The examples of RFC 7515, appendices A.2 and A.3.
#[test]
fn the_rfcs_signatures_are_right() {
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({
        "kty": "RSA", "e": "AQAB",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SF\
              d2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo\
              7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM\
              Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    });
    let p256 = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let keys = jwks(&[rsa, p256]);
    for (header, signature) in [
        (
            "eyJhbGciOiJSUzI1NiJ9",
            "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF\
             9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383Lc\
             OLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlV\
             mtVrBp0igcN_IoypGlUPQGe77Rw",
        ),
        (
            "eyJhbGciOiJFUzI1NiJ9",
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        ),
    ] {
        let token = format!("{header}.{PAYLOAD}.{signature}");
        // The signature passes; what the payload lacks comes after it.
        let expected = Expected { issuer: "joe", ..expected() };
        assert_eq!(check(&token, Some(&keys), expected).err(), Some(IdTokenFault::Audience));
        let changed = format!("{header}.{PAYLOAD}.A{}", &signature[1..]);
        assert_eq!(check(&changed, Some(&keys), expected).err(), Some(IdTokenFault::Signature));
    }
}

proptest! {
    #[test]
    fn no_text_is_a_token(text in any::<String>(), parts in "[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}\\.[A-Za-z0-9_-]{0,20}") {
        prop_assert!(IdToken::read(&text).is_err());
        prop_assert!(IdToken::read(&parts).is_err());
    }

    #[test]
    fn no_changed_byte_passes(position in any::<prop::sample::Index>(), replacement in "[A-Za-z0-9_-]") {
        let signer = Signer::new();
        let token = signer.token(&header(), &claims());
        let at = position.index(token.len());
        let changed = format!("{}{replacement}{}", &token[..at], &token[at + 1..]);
        let found = check(&changed, Some(&jwks(&[signer.jwk("k1")])), expected());
        prop_assert_eq!(found.is_ok(), changed == token);
    }
}
