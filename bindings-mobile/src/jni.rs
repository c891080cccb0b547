//! The same for Java's virtual machines, Android's among them: native methods of the class `dev.gatewright.internal.Native`, whose declarations
//! say what each of them is. uniffi's way to Kotlin, by JNA, would cost several times as much for each call, a thread more, and a dependency; see
//! `docs/decisions/0010-mobile-boundary.md`.
//!
//! Nothing unwinds into Java: a panic becomes an `IllegalStateException`. Clients and webhooks go by numbers, so that no mistake on the other
//! side is more than an error.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, LazyLock};

use gatewright_boundary::Body;
use jni_sys::{
    JNIEnv, jbyteArray, jclass, jint, jlong, jlongArray, jobject, jobjectArray, jstring,
};

use crate::handles::Handles;
use crate::{Blob, Language, NativeClient, NativeError, Port};

mod env;

use env::Env;

static PORT: LazyLock<Arc<Port>> = LazyLock::new(|| Port::new(Language::Kotlin));
static CLIENTS: LazyLock<Handles<NativeClient>> = LazyLock::new(Handles::default);

/// What a native method gives when it failed.
trait Nothing {
    const NOTHING: Self;
}

impl Nothing for () {
    const NOTHING: Self = ();
}

impl Nothing for jint {
    const NOTHING: Self = 0;
}

impl Nothing for jobject {
    const NOTHING: Self = ptr::null_mut();
}

/// Runs a native method. None of what it looks at is half changed where it panics, or is looked at again.
///
/// # Safety
/// `env` is what the virtual machine gave a native method on this thread, and the method returns what this gives.
unsafe fn enter<T: Nothing>(env: *mut JNIEnv, work: impl FnOnce(&Env) -> T) -> T {
    // SAFETY: as required of the caller.
    let env = unsafe { Env::new(env) };
    catch_unwind(AssertUnwindSafe(|| work(&env))).unwrap_or_else(|_| {
        env.throw(c"Gatewright has failed by a mistake of its own; please report it");
        T::NOTHING
    })
}

/// Declares native methods. In their bodies, arguments are what Java gave, and `unsafe` is for those that are references.
macro_rules! natives {
    ($($symbol:ident($env:ident $(, $argument:ident: $type:ty)*) $(-> $result:ty)? $body:block)+) => {
        $(
            /// The method of this name.
            ///
            /// # Safety
            /// For Java's virtual machine to call, with arguments as the method declares them.
            #[unsafe(no_mangle)]
            pub unsafe extern "system" fn $symbol(
                env: *mut JNIEnv,
                _class: jclass
                $(, $argument: $type)*
            ) $(-> $result)? {
                let work = |$env: &Env| $body;
                // SAFETY: called by the virtual machine, which says what is what.
                unsafe { enter(env, work) }
            }
        )+
    };
}

pub mod login;
pub mod webhook;

natives! {
    Java_dev_gatewright_internal_Native_version(env) -> jstring {
        env.string(&crate::version())
    }

    Java_dev_gatewright_internal_Native_errorCodes(env) -> jobjectArray {
        env.strings(&gatewright_boundary::error_codes())
    }

    Java_dev_gatewright_internal_Native_openClient(env, base_url: jstring, settings: jstring, number: jlongArray) -> jstring {
        let (base_url, settings) = (text(env, base_url), text(env, settings));
        opened(env, number, &CLIENTS, Arc::clone(&PORT).open_client(&base_url, &settings))
    }

    Java_dev_gatewright_internal_Native_closeClient(_env, client: jlong) {
        if let Some(client) = CLIENTS.get(client) {
            client.close();
        }
    }

    Java_dev_gatewright_internal_Native_freeClient(_env, client: jlong) {
        if let Some(client) = CLIENTS.take(client) {
            client.close();
        }
    }

    Java_dev_gatewright_internal_Native_baseUrl(env, client: jlong) -> jstring {
        env.string(&CLIENTS.get(client).map_or_else(String::new, |client| client.base_url()))
    }

    Java_dev_gatewright_internal_Native_state(env, client: jlong) -> jstring {
        let state = CLIENTS.get(client).map(|client| client.state());
        env.string(state.as_deref().unwrap_or("{}"))
    }

    Java_dev_gatewright_internal_Native_clearCache(_env, client: jlong) {
        if let Some(client) = CLIENTS.get(client) {
            client.clear_cache();
        }
    }

    Java_dev_gatewright_internal_Native_explainOutcome(env, client: jlong, supposed: jstring) -> jstring {
        let supposed = text(env, supposed);
        let told = CLIENTS.get(client).map(|client| client.explain(&supposed));
        let told = told.map(|told| told.unwrap_or_else(|NativeError::Failed { msg }| msg));
        env.string(told.as_deref().unwrap_or_default())
    }

    Java_dev_gatewright_internal_Native_start(
        env, client: jlong, call: jint, method: jstring, path: jstring, mode: jint, options: jstring, body: jbyteArray
    ) {
        let Some(client) = CLIENTS.get(client) else {
            return PORT.boundary.refuse_closed(call.cast_unsigned());
        };
        let (method, path) = (text(env, method), text(env, path));
        // SAFETY: as Java declares them.
        let (options, body) = unsafe { (env.text(options), env.bytes(body)) };
        let body = body.map(|bytes| Body::Bytes(bytes.into()));
        client.begin(call.cast_unsigned(), &method, &path, mode.cast_unsigned(), options.as_deref(), body);
    }

    Java_dev_gatewright_internal_Native_pages(
        env, client: jlong, list: jint, path: jstring, options: jstring, style: jstring
    ) {
        if let Some(client) = CLIENTS.get(client) {
            // SAFETY: as Java declares it.
            let options = unsafe { env.text(options) };
            client.pages(list.cast_unsigned(), &text(env, path), options, &text(env, style));
        }
    }

    Java_dev_gatewright_internal_Native_events(
        env, client: jlong, list: jint, method: jstring, path: jstring, options: jstring, body: jbyteArray, style: jstring
    ) {
        if let Some(client) = CLIENTS.get(client) {
            // SAFETY: as Java declares them.
            let (options, body) = unsafe { (env.text(options), env.bytes(body)) };
            let (method, path, style) = (text(env, method), text(env, path), text(env, style));
            client.events(list.cast_unsigned(), &method, &path, options, body.map(Blob), &style);
        }
    }

    Java_dev_gatewright_internal_Native_jsonLines(
        env, client: jlong, list: jint, method: jstring, path: jstring, options: jstring, body: jbyteArray, style: jstring
    ) {
        if let Some(client) = CLIENTS.get(client) {
            // SAFETY: as Java declares them.
            let (options, body) = unsafe { (env.text(options), env.bytes(body)) };
            let (method, path, style) = (text(env, method), text(env, path), text(env, style));
            client.json_lines(list.cast_unsigned(), &method, &path, options, body.map(Blob), &style);
        }
    }

    Java_dev_gatewright_internal_Native_downloadTo(
        env, client: jlong, call: jint, path: jstring, file: jstring, options: jstring
    ) {
        let Some(client) = CLIENTS.get(client) else {
            return PORT.boundary.refuse_closed(call.cast_unsigned());
        };
        // SAFETY: as Java declares it.
        let options = unsafe { env.text(options) };
        client.download_to(call.cast_unsigned(), &text(env, path), text(env, file), options);
    }

    Java_dev_gatewright_internal_Native_upload(
        env, client: jlong, call: jint, method: jstring, path: jstring, options: jstring, body: jbyteArray, style: jstring
    ) {
        let Some(client) = CLIENTS.get(client) else {
            return PORT.boundary.refuse_closed(call.cast_unsigned());
        };
        // SAFETY: as Java declares them.
        let (options, body) = unsafe { (env.text(options), env.bytes(body)) };
        let (method, path, style) = (text(env, method), text(env, path), text(env, style));
        client.upload(call.cast_unsigned(), &method, &path, options, body.map(Blob), &style);
    }

    Java_dev_gatewright_internal_Native_cancel(_env, call: jint) {
        PORT.cancel(call.cast_unsigned());
    }

    Java_dev_gatewright_internal_Native_pull(_env, call: jint) {
        PORT.pull(call.cast_unsigned());
    }

    Java_dev_gatewright_internal_Native_nextPage(_env, call: jint, list: jint) {
        PORT.next_page(call.cast_unsigned(), list.cast_unsigned());
    }

    Java_dev_gatewright_internal_Native_nextEvents(_env, call: jint, list: jint) {
        PORT.next_events(call.cast_unsigned(), list.cast_unsigned());
    }

    Java_dev_gatewright_internal_Native_dropPages(_env, list: jint) {
        PORT.drop_pages(list.cast_unsigned());
    }

    Java_dev_gatewright_internal_Native_answer(env, question: jint, reply: jstring, bytes: jbyteArray) {
        // SAFETY: as Java declares them.
        let (reply, bytes) = unsafe { (env.text(reply), env.bytes(bytes)) };
        PORT.answer(question.cast_unsigned(), reply, bytes.map(Blob));
    }

    Java_dev_gatewright_internal_Native_fail(env, question: jint, cause: jint, what: jstring) {
        PORT.fail(question.cast_unsigned(), cause.cast_unsigned(), &text(env, what));
    }

    Java_dev_gatewright_internal_Native_drive(env) -> jobjectArray {
        let batch = PORT.drive_batch();
        if batch.is_empty() {
            return ptr::null_mut();
        }
        let array = env.batch(&batch);
        if array.is_null() {
            // An OutOfMemoryError is thrown; who drives again gets them.
            PORT.mailbox.change(|contents| contents.give_back(batch));
        }
        array
    }

    Java_dev_gatewright_internal_Native_waiting(_env) -> jint {
        jint::try_from(PORT.waiting()).unwrap_or(jint::MAX)
    }

    Java_dev_gatewright_internal_Native_stop(_env) {
        PORT.stop();
    }

    Java_dev_gatewright_internal_Native_answerError(env, meta: jstring, code: jstring, what: jstring) -> jstring {
        let (meta, code, what) = (text(env, meta), text(env, code), text(env, what));
        env.string(&gatewright_boundary::answer_error(Language::Kotlin.into(), &meta, &code, &what))
    }

    Java_dev_gatewright_internal_Native_timeline(env, attempts: jstring) -> jstring {
        env.string(&crate::timeline(&text(env, attempts)))
    }
}

/// A text that is never null in Java.
fn text(env: &Env, string: jstring) -> String {
    // SAFETY: used for arguments of native methods that are declared as strings.
    unsafe { env.text(string) }.unwrap_or_default()
}

/// Keeps what was opened and puts its number into `number`; or gives the error.
fn opened<T>(
    env: &Env,
    number: jlongArray,
    handles: &Handles<T>,
    made: Result<Arc<T>, NativeError>,
) -> jstring {
    match made {
        Ok(object) => {
            // SAFETY: used for arguments of native methods that are declared as arrays of numbers.
            unsafe { env.set_first(number, handles.keep(object)) };
            ptr::null_mut()
        }
        Err(NativeError::Failed { msg }) => env.string(&msg),
    }
}
