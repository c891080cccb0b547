//! The endpoint where a device begins (RFC 8628, section 3.1).

use std::sync::Arc;

use serde_json::json;

use crate::call::Call;
use crate::oauth::client_auth::authenticate;
use crate::oauth::device::user_code;
use crate::oauth::form::Form;
use crate::oauth::identity::USER;
use crate::oauth::profile::Profile;
use crate::oauth::settings::DEVICE_GRANT;
use crate::oauth::token::{Answer, scopes};
use crate::oauth::tokens::Grant;
use crate::oauth::{OAuthError, OAuthOp, answer, issuer, put};
use crate::stable_hash::stable_hash;

pub(crate) fn device_authorization(call: &Call, provider: &str, issuer: &str) -> Answer {
    let form = Form::of_body(call)?;
    let mut guard = call.world.state();
    let state = &mut *guard;
    let options = Arc::clone(&state.options);
    let client = authenticate(call, &form, &mut state.oauth, &options.oauth, issuer)?;
    let profile = Profile::of(provider);
    if !client.may_use(DEVICE_GRANT) || !profile.grants.contains(&DEVICE_GRANT) {
        let what = "the client may not use this grant";
        return Err(OAuthError::new("unauthorized_client", what));
    }
    let grant = Grant {
        provider: provider.into(),
        client_id: client.client_id.clone(),
        tenant: client.tenant().into(),
        tier: client.tier(),
        subject: Some(USER.into()),
        scopes: scopes(&form, client, profile)?,
        key: None,
    };
    let device_code = state.oauth.tokens.secret("odc_", options.seed);
    let user_code = user_code(stable_hash(&[b"user code", device_code.as_bytes()]));
    let spans = (options.oauth.device_interval_s, options.oauth.device_ttl_s);
    let now_ns = call.world.clock.now_ns();
    state
        .oauth
        .devices
        .add(device_code.clone(), user_code.clone(), grant, spans, now_ns);
    let root = issuer::root(call, provider);
    let page = format!("{root}/{}", profile.path(OAuthOp::Device));
    let mut body = json!({
        "device_code": device_code,
        "user_code": user_code,
        "expires_in": spans.1,
        "interval": spans.0,
    });
    if profile.is_google {
        put(&mut body, "verification_url", page);
    } else {
        let complete = format!("{page}?user_code={user_code}");
        put(&mut body, "verification_uri", page);
        if !profile.form_answers {
            put(&mut body, "verification_uri_complete", complete);
        }
    }
    Ok(answer::given(profile, call, &body))
}
