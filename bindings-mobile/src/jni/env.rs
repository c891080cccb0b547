//! Java's strings and arrays, in and out. Nothing here calls a method of Java's, so no Java code ever runs from here.

use std::ptr;
use std::sync::OnceLock;

use gatewright_boundary::Batch;
use jni_sys::{
    JNIEnv, JNINativeInterface__1_2, jarray, jbyteArray, jclass, jlong, jlongArray, jobject,
    jobjectArray, jsize, jstring,
};

/// Texts up to this many UTF-16 units take no memory of their own on their way in.
const SHORT: usize = 256;

/// The Java side of one call of a native method, on its thread.
///
/// A function that makes something gives null where the virtual machine has no memory for it: an `OutOfMemoryError` is pending then, and
/// nothing else is to be called but [`Env::forget_exception`]. It is thrown when the native method returns.
pub(crate) struct Env(*mut JNIEnv);

impl Env {
    /// # Safety
    /// `env` is what the virtual machine gave a native method on this thread, and the method has not returned while this lives.
    pub(crate) unsafe fn new(env: *mut JNIEnv) -> Self {
        Self(env)
    }

    fn functions(&self) -> &JNINativeInterface__1_2 {
        // SAFETY: as `new` requires; the table is of the virtual machine, and all of them are of a later version than 1.2.
        unsafe { &(**self.0).v1_2 }
    }

    /// A string's text. What is no Unicode (a surrogate without the other) is U+FFFD; null is no text.
    ///
    /// # Safety
    /// `string` is a local reference of this call to a string, or null.
    pub(crate) unsafe fn text(&self, string: jstring) -> Option<String> {
        if string.is_null() {
            return None;
        }
        let functions = self.functions();
        // SAFETY: a string, as required of the caller.
        let length = unsafe { (functions.GetStringLength)(self.0, string) };
        let size = usize::try_from(length).unwrap_or(0);
        let mut short = [0_u16; SHORT];
        let mut long = Vec::new();
        let units = match short.get_mut(..size) {
            Some(units) => units,
            None => {
                long.resize(size, 0);
                long.as_mut_slice()
            }
        };
        // SAFETY: there is room for all units of it, no more are asked for, and it does not keep the place.
        unsafe { (functions.GetStringRegion)(self.0, string, 0, length, units.as_mut_ptr()) };
        Some(from_utf16(units))
    }

    /// An array's bytes, copied; null is none.
    ///
    /// # Safety
    /// `array` is a local reference of this call to a `byte[]`, or null.
    pub(crate) unsafe fn bytes(&self, array: jbyteArray) -> Option<Vec<u8>> {
        if array.is_null() {
            return None;
        }
        let functions = self.functions();
        // SAFETY: an array, as required of the caller.
        let length = unsafe { (functions.GetArrayLength)(self.0, array) };
        let size = usize::try_from(length).unwrap_or(0);
        let mut bytes = Vec::<u8>::with_capacity(size);
        // SAFETY: there is room for `size` bytes, all of which are written before they count.
        unsafe {
            (functions.GetByteArrayRegion)(self.0, array, 0, length, bytes.as_mut_ptr().cast());
            bytes.set_len(size);
        }
        Some(bytes)
    }

    /// A string, null where there is no memory for it.
    pub(crate) fn string(&self, text: &str) -> jstring {
        let units: Vec<u16> = if text.is_ascii() {
            text.bytes().map(u16::from).collect()
        } else {
            text.encode_utf16().collect()
        };
        let length = jsize::try_from(units.len()).unwrap_or(jsize::MAX);
        // SAFETY: no more units than there are.
        unsafe { (self.functions().NewString)(self.0, units.as_ptr(), length) }
    }

    /// A `byte[]`, null where there is no memory for it.
    fn byte_array(&self, bytes: &[u8]) -> jbyteArray {
        let Ok(length) = jsize::try_from(bytes.len()) else {
            return ptr::null_mut();
        };
        let functions = self.functions();
        // SAFETY: the array is of the length of what is copied into it.
        unsafe {
            let array = (functions.NewByteArray)(self.0, length);
            if !array.is_null() {
                let source = bytes.as_ptr().cast();
                (functions.SetByteArrayRegion)(self.0, array, 0, length, source);
            }
            array
        }
    }

    /// A batch as `byte[][]`: its frames, then its large bodies, of which null is one that the virtual machine has no memory for. Null where
    /// there is none for the rest.
    pub(crate) fn batch(&self, batch: &Batch) -> jobjectArray {
        let class = self.class(c"[B", &BYTES);
        let length = jsize::try_from(batch.large.len() + 1).unwrap_or(jsize::MAX);
        let frames = if class.is_null() {
            ptr::null_mut()
        } else {
            self.byte_array(&batch.bytes)
        };
        if frames.is_null() {
            return ptr::null_mut();
        }
        let functions = self.functions();
        // SAFETY: indexes are below the length, elements are byte arrays or null, and no exception is pending where one is put in.
        unsafe {
            let array = (functions.NewObjectArray)(self.0, length, class, frames);
            if array.is_null() {
                return array;
            }
            for (index, body) in (1..length).zip(&batch.large) {
                let body = self.byte_array(body);
                if body.is_null() {
                    self.forget_exception();
                }
                (functions.SetObjectArrayElement)(self.0, array, index, body);
                (functions.DeleteLocalRef)(self.0, body);
            }
            array
        }
    }

    /// A `String[]`, null where there is no memory for it.
    pub(crate) fn strings(&self, texts: &[&str]) -> jobjectArray {
        let class = self.class(c"java/lang/String", &STRING);
        if class.is_null() {
            return ptr::null_mut();
        }
        let functions = self.functions();
        let length = jsize::try_from(texts.len()).unwrap_or(jsize::MAX);
        // SAFETY: indexes are below the length, elements are strings, and nothing is called once one of them could not be made.
        unsafe {
            let array = (functions.NewObjectArray)(self.0, length, class, ptr::null_mut());
            if array.is_null() {
                return array;
            }
            for (index, text) in (0..length).zip(texts) {
                let string = self.string(text);
                if string.is_null() {
                    return ptr::null_mut();
                }
                (functions.SetObjectArrayElement)(self.0, array, index, string);
                (functions.DeleteLocalRef)(self.0, string);
            }
            array
        }
    }

    /// Puts a number into the first place of an array.
    ///
    /// # Safety
    /// `array` is a local reference of this call to a `long[]` with a place in it.
    pub(crate) unsafe fn set_first(&self, array: jlongArray, number: jlong) {
        if !is_empty(self, array) {
            // SAFETY: there is a first place.
            unsafe {
                (self.functions().SetLongArrayRegion)(self.0, array, 0, 1, &raw const number)
            };
        }
    }

    /// A class by its name, which is found once; null where it cannot be.
    fn class(&self, name: &std::ffi::CStr, known: &OnceLock<Class>) -> jclass {
        if let Some(Class(class)) = known.get() {
            return *class;
        }
        let functions = self.functions();
        // SAFETY: a class of Java's own; the reference that is kept is a global one, good on all threads and for good.
        unsafe {
            let local = (functions.FindClass)(self.0, name.as_ptr());
            if local.is_null() {
                return local;
            }
            let global = (functions.NewGlobalRef)(self.0, local);
            (functions.DeleteLocalRef)(self.0, local);
            if global.is_null() || known.set(Class(global)).is_ok() {
                return global;
            }
            (functions.DeleteGlobalRef)(self.0, global);
        }
        known.get().map_or(ptr::null_mut(), |Class(class)| *class)
    }

    /// What could not be made is done without.
    pub(crate) fn forget_exception(&self) {
        // SAFETY: may be called at any time.
        unsafe { (self.functions().ExceptionClear)(self.0) };
    }

    /// Throws, when the native method returns: this is a bug of ours.
    pub(crate) fn throw(&self, text: &std::ffi::CStr) {
        let functions = self.functions();
        // SAFETY: a class of Java's own, and a text that ends; nothing is called while an exception is pending but what clears it.
        unsafe {
            (functions.ExceptionClear)(self.0);
            let class = (functions.FindClass)(self.0, c"java/lang/IllegalStateException".as_ptr());
            if !class.is_null() {
                (functions.ThrowNew)(self.0, class, text.as_ptr());
            }
        }
    }
}

fn is_empty(env: &Env, array: jarray) -> bool {
    // SAFETY: an array, as required of those who call this.
    array.is_null() || unsafe { (env.functions().GetArrayLength)(env.0, array) } == 0
}

static BYTES: OnceLock<Class> = OnceLock::new();
static STRING: OnceLock<Class> = OnceLock::new();

/// A global reference to a class.
struct Class(jobject);

// SAFETY: global references are for all threads.
unsafe impl Send for Class {}
// SAFETY: as above.
unsafe impl Sync for Class {}

fn from_utf16(units: &[u16]) -> String {
    if units.iter().all(|unit| *unit < 0x80) {
        let ascii = units.iter().map(|unit| {
            let [low, _] = unit.to_le_bytes();
            low
        });
        return String::from_utf8(ascii.collect()).unwrap_or_default();
    }
    String::from_utf16_lossy(units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_java_are_unicode() {
        for text in ["", "GET", "/käse?x=1", "\0", "a😀b", "€"] {
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(from_utf16(&units), text);
        }
        assert_eq!(from_utf16(&[0x61, 0xD83D, 0x62]), "a\u{FFFD}b");
        assert_eq!(from_utf16(&[0xDE00]), "\u{FFFD}");
    }
}
