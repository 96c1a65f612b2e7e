//! Bodies that are hardly JSON, or JSON that no program writes by itself.

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::harness::{Answer, LIVENESS, Server, constant, request};

const COLLECTIONS: &str = "/v2/face-recognition/collections";

async fn post(server: &Server, route: &str, body: impl Into<Vec<u8>>) -> Answer {
    let post = server
        .post(route)
        .bearer_auth(&server.token)
        .header("x-api-key", &server.token)
        .header(CONTENT_TYPE, "application/json");
    Answer::of(post.body(body.into()).send().await.unwrap()).await
}

/// A valid request with one more field, written as it stands.
fn with_field(field: &str) -> Vec<u8> {
    let text = request().to_string();
    format!("{},{field}}}", text.strip_suffix('}').unwrap()).into_bytes()
}

#[tokio::test]
async fn every_body_has_a_defined_answer() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let nested = |levels: usize| {
        with_field(&format!(
            r#""x":{}{}"#,
            "[".repeat(levels),
            "]".repeat(levels)
        ))
    };
    let score = |text: &str| with_field(&format!("\"liveness_min_score\":{text}"));
    let zeros = "0".repeat(100_000);
    let many: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":{n}")).collect();
    let utf16: Vec<u8> = request()
        .to_string()
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (body, status) in [
        // As deep as 127, the object itself included.
        (nested(126), 200),
        (nested(127), 400),
        (nested(100_000), 400),
        (
            with_field(&format!(
                r#""x":{}1{}"#,
                r#"{"a":"#.repeat(127),
                "}".repeat(127)
            )),
            400,
        ),
        ("[".repeat(1_000_000).into_bytes(), 400),
        // As in JavaScript the last of one name counts.
        (with_field(r#""os":1"#), 409),
        (
            with_field(r#""liveness_min_score":7,"liveness_min_score":0.5"#),
            200,
        ),
        // A number that no double holds is none.
        (score("1e999"), 400),
        (score("-1e999"), 400),
        (score(&format!("1{zeros}")), 400),
        (score(&format!("0.5{zeros}")), 200),
        (score("1e-999"), 200),
        (score("-0"), 200),
        (score("1E400000000000000000000"), 400),
        (score("\"1e999\""), 409),
        (score(&format!("\"1{zeros}\"")), 409),
        (score("18446744073709551616"), 409),
        (score("NaN"), 400),
        (score("Infinity"), 400),
        (score("0x1"), 400),
        (score("01"), 400),
        (score(".5"), 400),
        (score("+1"), 400),
        // Text that is no text.
        (with_field(r#""os":"\ud800""#), 400),
        (with_field(r#""os":"\udc00\ud800""#), 400),
        (with_field(r#""\ud83d":1"#), 400),
        (with_field(r#""os":"\ud83d\ude00""#), 200),
        (with_field(r#""os":"\x41""#), 400),
        ([&with_field(r#""x":""#)[..], b"\xff\"}"].concat(), 400),
        (b"{\"os\":\"\xc0\x80\",\"image\":\"AAAA\"}".to_vec(), 400),
        (
            b"{\"os\":\"\xed\xa0\x80\",\"image\":\"AAAA\"}".to_vec(),
            400,
        ),
        (b"{\"o\xffs\":1}".to_vec(), 400),
        (b"{\"os\":\"a\0b\",\"image\":\"AAAA\"}".to_vec(), 400),
        (
            [b"\xef\xbb\xbf", request().to_string().as_bytes()].concat(),
            400,
        ),
        (utf16, 400),
        // NUL is text in JSON, and nothing that can be stored.
        (with_field(r#""os":"a\u0000""#), 409),
        (with_field(r#""collection_id":"\u0000""#), 409),
        (with_field(r#""image":"AAAA\u0000""#), 422),
        (with_field(r#""x":"\u0000""#), 200),
        // Much of it.
        (with_field(&many.join(",")), 400),
        (
            with_field(&format!("\"x\":[{}0]", "0,".repeat(1_000_000))),
            400,
        ),
        (with_field(&format!("\"{}\":1", "k".repeat(1 << 20))), 200),
        (
            with_field(&format!("\"os\":\"{}\"", "o".repeat(1 << 20))),
            409,
        ),
        (
            with_field(&format!("\"collection_id\":\"{}\"", "c".repeat(1 << 20))),
            409,
        ),
        // No object.
        (b"".to_vec(), 400),
        (b"   ".to_vec(), 400),
        (b"null".to_vec(), 409),
        (b"7".to_vec(), 409),
        (b"\"text\"".to_vec(), 409),
        (b"[]".to_vec(), 409),
        (b"[{}]".to_vec(), 409),
        (b"{}{}".to_vec(), 400),
        (b"{\"os\":\"IOS\",}".to_vec(), 400),
        (b"{'os':'IOS'}".to_vec(), 400),
        (b"/* */ {}".to_vec(), 400),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(120)]).into_owned();
        let answer = post(&server, LIVENESS, body.clone()).await;
        assert_eq!(answer.status, status, "{shown}: {:?}", answer.body);
        // Whatever was sent, no refusal repeats much of it.
        assert!(
            status == 200 || answer.body.to_string().len() < 300,
            "{shown}"
        );
        for route in ["/liveness", COLLECTIONS] {
            let answer = post(&server, route, body.clone()).await;
            assert!(answer.status < 500, "{route} {shown}: {:?}", answer.body);
            assert!(answer.body.to_string().len() < 2000, "{route} {shown}");
        }
    }
    for description in [r"\u0000", &"d".repeat(1001)] {
        let body = format!(r#"{{"name":"signups","description":"{description}"}}"#);
        assert_eq!(post(&server, COLLECTIONS, body).await.status, 409);
    }
    assert_eq!(server.ask(&request()).await.status, 200);
}

#[tokio::test]
async fn no_refusal_repeats_the_image() {
    let (_dir, server) = Server::fresh(constant(0.9), &[("fetch", "false")]).await;
    const SECRET: &str = "c2VjcmV0IHBob3RvZ3JhcGg";
    for image in [
        json!(format!("{SECRET}!")),
        json!(format!("data:image/{SECRET};base64,*{SECRET}")),
        json!(format!("https://{SECRET}.example/{SECRET}")),
        json!(format!("ftp://{SECRET}")),
        json!([SECRET]),
        json!({SECRET: SECRET}),
    ] {
        let body = json!({"os": "IOS", "image": image});
        for route in [LIVENESS, "/liveness"] {
            let answer = post(&server, route, body.to_string()).await;
            assert!((400..500).contains(&answer.status), "{:?}", answer.body);
            let told = answer.body.to_string();
            assert!(!told.contains(SECRET), "{told}");
        }
    }
}

#[tokio::test]
async fn too_many_values_are_said_to_be_too_many() {
    let (_dir, server) = Server::fresh(constant(0.9), &[]).await;
    let body = format!("[{}0]", "0,".repeat(20_000));
    let answer = post(&server, LIVENESS, body).await;
    let message = "The request body has more than 10000 values.";
    answer.assert_error(400, "BadRequest", message);
    let expected: Value = json!({"code": "BadRequest", "message": message});
    let body = format!("[{}0]", "0,".repeat(20_000));
    assert_eq!(post(&server, "/liveness", body).await.body, expected);
}
