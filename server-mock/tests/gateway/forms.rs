//! Files that come as a part of a form (`multipart/form-data`, RFC 7578), with digests (RFC 9530).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatewright_server_mock::OptionsChange;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::caller::{Asking, Caller, Seen};

const FILE: &str = "Content-Disposition: form-data; name=\"upload\"; filename=\"C:\\docs\\a.txt\"\r\nContent-Type: text/plain; charset=utf-8";
const DIGEST: &str = "Content-Disposition: form-data; name=\"digest\"";
const NOTE: &str = "Content-Disposition: form-data; name=\"note\"";

/// Each its headers and its bytes.
type Parts<'a> = &'a [(&'a str, &'a [u8])];

fn form(boundary: &str, parts: Parts) -> Vec<u8> {
    let mut body = b"what comes before the first boundary counts for nothing\r\n".to_vec();
    for (about, bytes) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{about}\r\n\r\n").as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

fn post(caller: &Caller, boundary: &str, parts: Parts) -> Asking {
    let kind = format!("multipart/form-data; boundary=\"{boundary}\"");
    caller
        .ask("POST", "/v1/files")
        .header("content-type", &kind)
        .body(form(boundary, parts))
}

fn sha_256(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(bytes)))
}

fn refusal(seen: &Seen) -> (u16, String) {
    (seen.status(), seen.json()["code"].as_str().unwrap().into())
}

#[tokio::test]
async fn a_form_brings_a_file_with_its_name_and_media_type() {
    let caller = Caller::new().await;
    // Longer than what the parser gets at a time, with line ends and what looks like a boundary.
    let bytes = b"line\r\n--=_X\r\n-".repeat(12_000);
    let parts: [(&str, &[u8]); 2] = [(NOTE, b"hi"), (FILE, &bytes)];
    let stored = post(&caller, "=_X-1", &parts).send().await;
    assert_eq!(stored.status(), 201, "{:?}", stored.json());
    assert_eq!(stored.header("repr-digest"), Some(sha_256(&bytes)));
    assert_eq!(stored.json()["size"], bytes.len());
    let location = stored.header("location").unwrap();
    let about = caller.get(&location).await.json();
    assert_eq!(
        (&about["filename"], &about["content_type"]),
        (&json!("a.txt"), &json!("text/plain; charset=utf-8"))
    );
    let content = caller.get(&format!("{location}/content")).await;
    assert!(content.body() == bytes);
    assert_eq!(
        content.header("content-type").as_deref(),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(caller.session.effects("files.create").count, 1);

    // One without a name, and a file that came without a form.
    let plain = "Content-Disposition: form-data; name=\"file\"";
    for asking in [
        post(&caller, "b", &[(plain, b"x")]),
        caller.ask("POST", "/v1/files").body("x"),
    ] {
        let location = asking.send().await.header("location").unwrap();
        assert_eq!(caller.get(&location).await.json().get("filename"), None);
    }
}

#[tokio::test]
async fn what_is_no_form_of_one_file_is_refused_and_stored_nowhere() {
    let caller = Caller::new().await;
    let large = vec![b'x'; 8 * 1024 + 1];
    let many = vec![(NOTE, &b"x"[..]); 33];
    let encoded = format!("{FILE}\r\nContent-Transfer-Encoding: quoted-printable");
    let cases: [(Parts, (u16, &str)); 6] = [
        (
            &[(FILE, b"1"), (FILE, b"2")],
            (400, "multipart_too_many_files"),
        ),
        (&[(NOTE, b"1")], (400, "multipart_no_file")),
        (
            &[("Content-Type: text/plain", b"1")],
            (400, "malformed_multipart"),
        ),
        (&[(&encoded, b"1")], (400, "multipart_encoding")),
        (&many, (400, "multipart_too_many_parts")),
        (&[(NOTE, &large)], (413, "multipart_field_too_large")),
    ];
    for (parts, (status, code)) in cases {
        let refused = post(&caller, "b", parts).send().await;
        assert_eq!(refusal(&refused), (status, code.into()));
    }
    let whole = form("b", &[(FILE, b"hello")]);
    let typed = |kind: &str, body: &[u8]| {
        caller
            .ask("POST", "/v1/files")
            .header("content-type", kind)
            .body(body)
    };
    let of_b = "Multipart/Form-Data; boundary=b";
    let of_other = "multipart/form-data; boundary=other";
    let too_long = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for (kind, body, code) in [
        ("multipart/form-data", &whole[..], "multipart_no_boundary"),
        (of_other, &whole, "malformed_multipart"),
        (&too_long, &whole, "malformed_multipart"),
        (of_b, &whole[..whole.len() - 8], "malformed_multipart"),
        (of_b, b"", "malformed_multipart"),
    ] {
        let refused = typed(kind, body).send().await;
        assert_eq!(refusal(&refused), (400, code.into()), "{kind}");
    }
    let in_parts = typed(of_b, &whole).header("upload-complete", "?0");
    let refused = in_parts.send().await;
    assert_eq!(refusal(&refused), (400, "invalid_upload".into()));

    let mut options = OptionsChange::default();
    options.max_body_bytes = Some(100);
    caller.session.set(options).unwrap();
    let refused = typed(of_b, &whole).send().await;
    assert_eq!(refusal(&refused), (413, "body_too_large".into()));
    assert_eq!(caller.session.effects("files.create").count, 0);
}

#[tokio::test]
async fn digests_of_the_form_and_of_its_file_are_checked() {
    let caller = Caller::new().await;
    let send = async |digest: &str| {
        let parts: [(&str, &[u8]); 2] = [(FILE, b"hello"), (DIGEST, digest.as_bytes())];
        post(&caller, "b", &parts).send().await
    };
    let sha_512 = format!("sha-512=:{}:", STANDARD.encode(Sha512::digest(b"hello")));
    let both = format!("{}, {sha_512}", sha_256(b"hello"));
    for (digest, status) in [
        (sha_256(b"hello"), 201),
        (sha_512.clone(), 201),
        (both, 201),
        ("crc32=:AAAAAA==:".into(), 201),
        (sha_256(b"other"), 400),
        (format!("{}, sha-512=:AAAA:", sha_256(b"hello")), 400),
    ] {
        let seen = send(&digest).await;
        assert_eq!(seen.status(), status, "{digest}");
        if status == 400 {
            assert_eq!(seen.json()["code"], "digest_mismatch");
        }
    }
    // The header is of the whole body, boundaries and all.
    let asking = post(&caller, "b", &[(FILE, b"hello")]);
    let body = form("b", &[(FILE, b"hello")]);
    for (digest, status) in [(sha_256(&body), 201), (sha_256(b"hello"), 400)] {
        let asking = asking.clone().header("content-digest", &digest);
        assert_eq!(asking.send().await.status(), status, "{digest}");
    }
    assert_eq!(caller.session.effects("files.create").count, 5);
}

#[tokio::test]
async fn a_form_that_is_sent_again_with_another_boundary_is_the_same() {
    let caller = Caller::new().await;
    let keyed = |boundary: &str, bytes: &[u8]| {
        post(&caller, boundary, &[(FILE, bytes)]).header("idempotency-key", "k-1")
    };
    let lost = keyed("one", b"hello").header("x-mock-fault", "lost");
    assert!(lost.send().await.raw.is_empty());
    let again = keyed("two", b"hello").send().await;
    assert_eq!(
        (
            again.status(),
            again.header("idempotency-replayed").as_deref()
        ),
        (201, Some("true"))
    );
    let other = keyed("one", b"other").send().await;
    assert_eq!(refusal(&other), (422, "idempotency_key_reused".into()));
    let effects = caller.session.effects("files.create");
    assert_eq!((effects.count, effects.by_key.duplicates), (1, 0));
    let about: Value = caller.get(&again.header("location").unwrap()).await.json();
    assert_eq!(about["filename"], "a.txt");
}
