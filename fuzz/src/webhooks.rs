//! Webhooks: nothing is taken for signed that was not signed, in one piece or in many.

use gatewright_webhook::{Signer, Webhook};

use crate::{head_and_body, headers};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: i64 = 1_614_265_331;

pub(crate) fn webhook(data: &[u8]) {
    let (head, body) = head_and_body(data);
    let headers = headers(head);
    let webhook = Webhook::new([SECRET]).expect("a secret");
    let signer = Signer::new([SECRET]).expect("a secret");
    let whole = webhook.verify(body, &headers, NOW);
    let pieces = webhook.verifier(&headers, NOW).and_then(|mut verifier| {
        body.chunks(3)
            .try_for_each(|piece| verifier.update(piece))?;
        verifier.finish()
    });
    assert_eq!(whole.as_ref().err(), pieces.as_ref().err());
    assert_eq!(whole.is_ok(), pieces.is_ok());
    let _ = webhook.explain(body, &headers, NOW);
    if whole.is_ok() {
        let text = |name: &str| String::from_utf8_lossy(headers[name].as_bytes()).into_owned();
        let timestamp = text("webhook-timestamp").parse();
        let signed = signer.sign(
            &text("webhook-id"),
            timestamp.expect("it was verified"),
            body,
        );
        let signed = signed.expect("it was verified");
        let [.., (_, signature)] = signed.headers();
        assert!(text("webhook-signature").contains(signature));
    }
    // What is signed is verified, whatever its id and its body.
    let id = String::from_utf8_lossy(head);
    if let Ok(signed) = signer.sign(&id, NOW, body) {
        assert!(
            webhook.verify(body, &signed.headers(), NOW).is_ok(),
            "{id:?}"
        );
        assert!(
            webhook
                .verify(body, &signed.headers(), NOW + 10_000)
                .is_err(),
            "{id:?}"
        );
        let mut other = body.to_vec();
        other.push(b'!');
        assert!(
            webhook.verify(&other, &signed.headers(), NOW).is_err(),
            "{id:?}"
        );
    }
}
