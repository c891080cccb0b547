//! Logins by OAuth.

use jni_sys::{JNIEnv, jclass, jint, jlong, jstring};

use super::{CLIENTS, Env, PORT, enter, text};
use crate::{Language, NativeError};

natives! {
    Java_dev_gatewright_internal_Native_beginLogin(env, client: jlong, call: jint, login: jint, options: jstring) {
        match CLIENTS.get(client) {
            Some(client) => client.begin_login(call.cast_unsigned(), login.cast_unsigned(), &text(env, options)),
            None => PORT.boundary.refuse_closed(call.cast_unsigned()),
        }
    }

    Java_dev_gatewright_internal_Native_endLogin(env, client: jlong, call: jint, login: jint, redirect: jstring) {
        // SAFETY: as Java declares it.
        let redirect = unsafe { env.text(redirect) };
        match CLIENTS.get(client) {
            Some(client) => client.end_login(call.cast_unsigned(), login.cast_unsigned(), redirect),
            None => PORT.boundary.refuse_closed(call.cast_unsigned()),
        }
    }

    Java_dev_gatewright_internal_Native_dropLogin(_env, client: jlong, login: jint) {
        if let Some(client) = CLIENTS.get(client) {
            client.drop_login(login.cast_unsigned());
        }
    }

    Java_dev_gatewright_internal_Native_logOut(env, client: jlong, call: jint, credential: jstring) {
        // SAFETY: as Java declares it.
        let credential = unsafe { env.text(credential) };
        match CLIENTS.get(client) {
            Some(client) => client.log_out(call.cast_unsigned(), credential),
            None => PORT.boundary.refuse_closed(call.cast_unsigned()),
        }
    }

    Java_dev_gatewright_internal_Native_generateSigningKey(env) -> jstring {
        env.string(&crate::generate_signing_key(Language::Kotlin).unwrap_or_else(|NativeError::Failed { msg }| msg))
    }
}
