//! Webhooks and replay guards for Java's virtual machines.

use std::ptr;
use std::sync::LazyLock;

use jni_sys::{JNIEnv, jbyteArray, jclass, jdouble, jlong, jlongArray, jstring};

use super::env::Env;
use super::{enter, opened, text};
use crate::handles::Handles;
use crate::webhook::{NativeReplayGuard, NativeVerifier, replay_key};
use crate::{Blob, NativeError, NativeWebhook};

static WEBHOOKS: LazyLock<Handles<NativeWebhook>> = LazyLock::new(Handles::default);
static VERIFIERS: LazyLock<Handles<NativeVerifier>> = LazyLock::new(Handles::default);
static GUARDS: LazyLock<Handles<NativeReplayGuard>> = LazyLock::new(Handles::default);

/// The error of a number that is not known.
const CLOSED: &str = r#"{"code":"closed","message":"the webhook is closed"}"#;

natives! {
    Java_dev_gatewright_internal_Native_generateSecret(env) -> jstring {
        env.string(&crate::generate_secret().unwrap_or_else(|NativeError::Failed { msg }| msg))
    }

    Java_dev_gatewright_internal_Native_openWebhook(env, settings: jstring, number: jlongArray) -> jstring {
        opened(env, number, &WEBHOOKS, NativeWebhook::new(&text(env, settings)))
    }

    Java_dev_gatewright_internal_Native_freeWebhook(_env, webhook: jlong) {
        drop(WEBHOOKS.take(webhook));
    }

    Java_dev_gatewright_internal_Native_verify(
        env, webhook: jlong, body: jbyteArray, headers: jstring, now_seconds: jdouble
    ) -> jstring {
        told(env, webhook, body, |webhook, body| webhook.verify(body, &text(env, headers), now_seconds))
    }

    Java_dev_gatewright_internal_Native_openVerifier(
        env, webhook: jlong, headers: jstring, now_seconds: jdouble, number: jlongArray
    ) -> jstring {
        let Some(webhook) = WEBHOOKS.get(webhook) else {
            return env.string(CLOSED);
        };
        opened(env, number, &VERIFIERS, webhook.verifier(&text(env, headers), now_seconds))
    }

    Java_dev_gatewright_internal_Native_updateVerifier(env, verifier: jlong, piece: jbyteArray) -> jstring {
        // SAFETY: as Java declares it.
        let piece = unsafe { env.bytes(piece) }.unwrap_or_default();
        let wrong = VERIFIERS.get(verifier).map(|verifier| verifier.update(Blob(piece)));
        match wrong.as_deref() {
            Some("") => ptr::null_mut(),
            Some(wrong) => env.string(wrong),
            None => env.string(CLOSED),
        }
    }

    Java_dev_gatewright_internal_Native_finishVerifier(env, verifier: jlong) -> jstring {
        let told = VERIFIERS.get(verifier).map(|verifier| verifier.finish());
        env.string(told.as_deref().unwrap_or(CLOSED))
    }

    Java_dev_gatewright_internal_Native_freeVerifier(_env, verifier: jlong) {
        drop(VERIFIERS.take(verifier));
    }

    Java_dev_gatewright_internal_Native_diagnose(
        env, webhook: jlong, body: jbyteArray, headers: jstring, now_seconds: jdouble
    ) -> jstring {
        told(env, webhook, body, |webhook, body| webhook.diagnose(body, &text(env, headers), now_seconds))
    }

    Java_dev_gatewright_internal_Native_challenge(env, webhook: jlong, verdict: jstring, body: jbyteArray) -> jstring {
        told(env, webhook, body, |webhook, body| webhook.challenge(&text(env, verdict), body))
    }

    Java_dev_gatewright_internal_Native_addCertificate(
        env, webhook: jlong, url: jstring, pem: jbyteArray, now_seconds: jdouble
    ) -> jstring {
        told(env, webhook, pem, |webhook, pem| webhook.add_certificate(&text(env, url), pem, now_seconds))
    }

    Java_dev_gatewright_internal_Native_signRequest(
        env, webhook: jlong, body: jbyteArray, id: jstring, url: jstring, timestamp_seconds: jdouble
    ) -> jstring {
        told(env, webhook, body, |webhook, body| {
            webhook.sign_request(body, &text(env, id), &text(env, url), timestamp_seconds)
        })
    }

    Java_dev_gatewright_internal_Native_replayKey(env, sender: jstring, verdict: jstring) -> jstring {
        env.string(&replay_key(&text(env, sender), &text(env, verdict)))
    }

    Java_dev_gatewright_internal_Native_openReplayGuard(env, settings: jstring, number: jlongArray) -> jstring {
        opened(env, number, &GUARDS, NativeReplayGuard::new(&text(env, settings)))
    }

    Java_dev_gatewright_internal_Native_freeReplayGuard(_env, guard: jlong) {
        drop(GUARDS.take(guard));
    }

    Java_dev_gatewright_internal_Native_reserve(env, guard: jlong, key: jstring, now_seconds: jdouble) -> jstring {
        let told = GUARDS.get(guard).map(|guard| guard.reserve(&text(env, key), now_seconds));
        env.string(told.as_deref().unwrap_or(CLOSED))
    }

    Java_dev_gatewright_internal_Native_commit(
        env, guard: jlong, key: jstring, token: jstring, now_seconds: jdouble
    ) -> jstring {
        let told = GUARDS.get(guard).map(|guard| guard.commit(&text(env, key), &text(env, token), now_seconds));
        env.string(told.as_deref().unwrap_or(CLOSED))
    }

    Java_dev_gatewright_internal_Native_release(
        env, guard: jlong, key: jstring, token: jstring, now_seconds: jdouble
    ) -> jstring {
        let told = GUARDS.get(guard).map(|guard| guard.release(&text(env, key), &text(env, token), now_seconds));
        env.string(told.as_deref().unwrap_or(CLOSED))
    }
}

/// What a webhook tells of a body.
fn told(
    env: &Env,
    webhook: jlong,
    body: jbyteArray,
    tell: impl FnOnce(&NativeWebhook, Blob) -> String,
) -> jstring {
    // SAFETY: used for arguments of native methods that are declared as arrays of bytes.
    let body = unsafe { env.bytes(body) }.unwrap_or_default();
    match WEBHOOKS.get(webhook) {
        Some(webhook) => env.string(&tell(&webhook, Blob(body))),
        None => env.string(CLOSED),
    }
}
