//! JavaScript values that are read and made often, with one pass over each: napi's own conversions measure first and copy then.

use std::ffi::c_void;
use std::ptr;

use bytes::Bytes;
use napi::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue, ValueType};
use napi::{Error, Result, Status, sys};

/// What fits into the first guess: paths, options and most bodies do.
const GUESS: usize = 512;

/// From this size on, lending memory to JavaScript is cheaper than copying it.
const LENT_FROM: usize = 32 * 1024;

/// Turns a status into a result.
pub(crate) fn check(status: sys::napi_status) -> Result<()> {
    if status == sys::Status::napi_ok {
        Ok(())
    } else {
        Err(Error::from_status(Status::from(status)))
    }
}

/// A string of JavaScript's, as UTF-8. Lone surrogates become U+FFFD.
pub struct Text(pub(crate) String);

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl TypeName for Text {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ValidateNapiValue for Text {}

impl FromNapiValue for Text {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        // SAFETY: napi-rs calls with a live environment and a value of it.
        unsafe { text(env, value) }.map(Self)
    }
}

/// # Safety
/// `value` is a value of `env`, and this is its thread.
unsafe fn text(env: sys::napi_env, value: sys::napi_value) -> Result<String> {
    let mut bytes: Vec<u8> = Vec::with_capacity(GUESS);
    // SAFETY: the buffer has that capacity.
    let mut length = unsafe { copy_text(env, value, &mut bytes) }?;
    // Node cuts at the last whole character that fits, of four bytes at most, and leaves room for a zero.
    if length + 5 > bytes.capacity() {
        // SAFETY: with no buffer, only the length is asked for.
        check(unsafe {
            sys::napi_get_value_string_utf8(env, value, ptr::null_mut(), 0, &raw mut length)
        })?;
        bytes.reserve_exact(length + 1);
        // SAFETY: the buffer has that capacity.
        length = unsafe { copy_text(env, value, &mut bytes) }?;
    }
    // SAFETY: that many bytes were written.
    unsafe { bytes.set_len(length) };
    // SAFETY: Node writes UTF-8: whole characters, and U+FFFD for what is none.
    Ok(unsafe { String::from_utf8_unchecked(bytes) })
}

/// # Safety
/// As `text`.
unsafe fn copy_text(
    env: sys::napi_env,
    value: sys::napi_value,
    into: &mut Vec<u8>,
) -> Result<usize> {
    let mut length = 0;
    // SAFETY: Node writes at most that many bytes, the zero at the end included.
    check(unsafe {
        sys::napi_get_value_string_utf8(
            env,
            value,
            into.as_mut_ptr().cast(),
            into.capacity(),
            &raw mut length,
        )
    })?;
    Ok(length)
}

/// A body: text or bytes, copied.
pub struct Content(pub(crate) Bytes);

impl TypeName for Content {
    fn type_name() -> &'static str {
        "string | Uint8Array"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Content {}

impl FromNapiValue for Content {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut kind = 0;
        // SAFETY: napi-rs calls with a live environment and a value of it.
        check(unsafe { sys::napi_typeof(env, value, &raw mut kind) })?;
        if kind == sys::ValueType::napi_string {
            // SAFETY: as above.
            return unsafe { text(env, value) }.map(|text| Self(text.into()));
        }
        // SAFETY: as above; nothing runs JavaScript while the bytes are looked at.
        unsafe { with_bytes(env, value, |bytes| Self(Bytes::copy_from_slice(bytes))) }
    }
}

/// Looks at a body, text or bytes, without a copy where it is bytes.
///
/// # Safety
/// As `with_bytes`.
pub(crate) unsafe fn with_content<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    look: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let mut kind = 0;
    // SAFETY: a value of this environment.
    check(unsafe { sys::napi_typeof(env, value, &raw mut kind) })?;
    if kind == sys::ValueType::napi_string {
        // SAFETY: as above.
        return unsafe { text(env, value) }.map(|text| look(text.as_bytes()));
    }
    // SAFETY: as the caller says.
    unsafe { with_bytes(env, value, look) }
}

/// # Safety
/// `value` is a value of `env`, this is its thread, and `look` runs no JavaScript, which might change the bytes.
unsafe fn with_bytes<T>(
    env: sys::napi_env,
    value: sys::napi_value,
    look: impl FnOnce(&[u8]) -> T,
) -> Result<T> {
    let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
    // SAFETY: all but these three may be null.
    check(unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &raw mut kind,
            &raw mut length,
            &raw mut data,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    })?;
    if kind != sys::TypedarrayType::uint8_array {
        return Err(Error::new(Status::InvalidArg, "expected a Uint8Array"));
    }
    if data.is_null() || length == 0 {
        return Ok(look(&[]));
    }
    // SAFETY: Node says that so many bytes are there, and nobody changes them meanwhile.
    Ok(look(unsafe {
        std::slice::from_raw_parts(data.cast::<u8>(), length)
    }))
}

/// A string that is mostly ASCII, which JavaScript keeps without decoding it.
pub struct Told(pub(crate) String);

impl TypeName for Told {
    fn type_name() -> &'static str {
        "String"
    }

    fn value_type() -> ValueType {
        ValueType::String
    }
}

impl ToNapiValue for Told {
    unsafe fn to_napi_value(env: sys::napi_env, told: Self) -> Result<sys::napi_value> {
        if !told.0.is_ascii() {
            return string(env, &told.0);
        }
        let mut value = ptr::null_mut();
        let length = isize::try_from(told.0.len()).unwrap_or(isize::MAX);
        // SAFETY: so many bytes are there, and ASCII is Latin-1.
        check(unsafe {
            sys::napi_create_string_latin1(env, told.0.as_ptr().cast(), length, &raw mut value)
        })?;
        Ok(value)
    }
}

/// A string for JavaScript.
pub(crate) fn string(env: sys::napi_env, text: &str) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    let length = isize::try_from(text.len()).unwrap_or(isize::MAX);
    // SAFETY: so many bytes are there.
    check(unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), length, &raw mut value)
    })?;
    Ok(value)
}

/// A copy of bytes for JavaScript.
pub(crate) fn copied(env: sys::napi_env, bytes: &[u8]) -> Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: so many bytes are there; where the copy is, is not asked.
    check(unsafe {
        sys::napi_create_buffer_copy(
            env,
            bytes.len(),
            bytes.as_ptr().cast(),
            ptr::null_mut(),
            &raw mut value,
        )
    })?;
    Ok(value)
}

/// Bytes for JavaScript without a copy, where they are many and the host allows it (Electron does not).
pub(crate) fn lent(env: sys::napi_env, bytes: Bytes) -> Result<sys::napi_value> {
    if bytes.len() < LENT_FROM {
        return copied(env, &bytes);
    }
    let mut value = ptr::null_mut();
    let (data, length) = (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len());
    let owner = Box::into_raw(Box::new(bytes));
    // SAFETY: the bytes live until `give_back`. JavaScript may write to them: nobody else reads this piece, it was given away with the frame.
    let status = unsafe {
        sys::napi_create_external_buffer(
            env,
            length,
            data,
            Some(give_back),
            owner.cast(),
            &raw mut value,
        )
    };
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    // SAFETY: made above, and not taken over by Node.
    let bytes = unsafe { Box::from_raw(owner) };
    copied(env, &bytes)
}

unsafe extern "C" fn give_back(_env: sys::napi_env, _data: *mut c_void, owner: *mut c_void) {
    // SAFETY: made in `lent`; Node calls this once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

/// Whether this is Node itself, not one of the programs that are like it.
pub(crate) fn is_node(env: sys::napi_env) -> Result<bool> {
    let (mut object, mut others) = (ptr::null_mut(), false);
    // SAFETY: on the environment's thread, with values of it; the names end with a zero.
    unsafe {
        check(sys::napi_get_global(env, &raw mut object))?;
        for name in [c"process", c"versions"] {
            check(sys::napi_get_named_property(
                env,
                object,
                name.as_ptr(),
                &raw mut object,
            ))?;
        }
        for name in [c"bun", c"deno", c"electron", c"nw"] {
            let mut is_it = false;
            check(sys::napi_has_named_property(
                env,
                object,
                name.as_ptr(),
                &raw mut is_it,
            ))?;
            others |= is_it;
        }
    }
    Ok(!others)
}
