//! What the gateway's verdict on a scenario's clients must be.
//!
//! | Aspect | Is looked at |
//! |---|---|
//! | those of [`ALWAYS`] | in every scenario: must be `kept` or `unseen`, unless the scenario expects another mark. `recovery` only where all clients may try again |
//! | the others | where the scenario names them: they depend on how busy the machine is, or on the short waits of the harness |

use gatewright_server_mock::{Aspect, Verdict};
use serde_json::{Map, Value};

use crate::pattern::Pattern;

/// What a right client keeps however slow the machine is.
const ALWAYS: [Aspect; 8] = [
    Aspect::RetryAfter,
    Aspect::Attempts,
    Aspect::FinalErrors,
    Aspect::Recovery,
    Aspect::UnsafeRetry,
    Aspect::IdempotencyKey,
    Aspect::SideEffects,
    Aspect::Timeout,
];
/// How a call ended that its client left.
const LEFT: &str = "client left";
/// The member that is about the grade of all.
const GRADE: &str = "grade";

/// The marks a scenario expects, by aspect.
#[derive(Debug, Default)]
pub(crate) struct Judged(Vec<(String, Pattern)>);

impl Judged {
    /// Reads what is expected, or says what is wrong with it.
    pub(crate) fn read(members: Map<String, Value>) -> Result<Self, String> {
        let known = |name: &str| Aspect::ALL.iter().any(|aspect| aspect.name() == name);
        if let Some(name) = members.keys().find(|name| *name != GRADE && !known(name)) {
            let all = Aspect::ALL.map(Aspect::name).join(", ");
            return Err(format!("verdict: {name:?} is none of {GRADE}, {all}"));
        }
        let all = members
            .into_iter()
            .map(|(name, value)| Ok((name, Pattern::read(&value)?)));
        all.collect::<Result<_, String>>().map(Self)
    }

    fn of(&self, name: &str) -> Option<&Pattern> {
        self.0
            .iter()
            .find_map(|(known, pattern)| (known == name).then_some(pattern))
    }

    /// Says what of the verdict is not what was expected, and why the gateway says so. `may_retry` is whether no client
    /// was told to make one attempt.
    pub(crate) fn check(&self, verdict: &Verdict, may_retry: bool) -> Vec<String> {
        let mut found = Vec::new();
        for said in &verdict.aspects {
            let (name, mark) = (said.aspect.name(), Value::from(said.mark.name()));
            let at = format!("the verdict on {name}");
            match self.of(name) {
                Some(pattern) => {
                    let wrong = pattern.check(Some(&mark), &at, &Value::Null);
                    found.extend(
                        wrong
                            .iter()
                            .map(|wrong| format!("{wrong}: {}", said.reason)),
                    );
                }
                None if said.aspect == Aspect::Recovery
                    && !(may_retry && has_given_up(verdict)) => {}
                None if ALWAYS.contains(&said.aspect) && said.advice.is_some() => {
                    found.push(format!("{at}: {}: {}", said.mark.name(), said.reason));
                }
                None => {}
            }
        }
        if let Some(pattern) = self.of(GRADE) {
            let grade = verdict.grade.map(|grade| Value::from(grade.letter()));
            let wrong = pattern.check(grade.as_ref(), "the grade", &Value::Null);
            let why = |wrong| format!("{wrong}: {}", verdict.reason);
            found.extend(wrong.iter().map(why));
        }
        found
    }
}

/// Whether a call ended too early, but for those that their client left: its caller or the deadline said so, and whether
/// the gateway sees it before it is asked is chance.
fn has_given_up(verdict: &Verdict) -> bool {
    let answered = verdict.calls.iter().filter(|call| call.outcome != LEFT);
    let mut findings = answered.flat_map(|call| &call.findings);
    findings.any(|finding| finding.aspect == Aspect::Recovery)
}

#[cfg(test)]
mod tests {
    use gatewright_server_mock::Gateway;
    use serde_json::json;

    use super::*;

    fn read(expected: Value) -> Result<Judged, String> {
        Judged::read(expected.as_object().unwrap().clone())
    }

    #[test]
    fn slips_of_the_pen_are_refused() {
        assert!(read(json!({"retry-after": "kept", "grade": "A"})).is_ok());
        let said = read(json!({"retry_after": "kept"})).unwrap_err();
        assert!(
            said.starts_with("verdict: \"retry_after\" is none of grade, retry-after, "),
            "{said}"
        );
    }

    #[tokio::test]
    async fn a_mark_that_is_named_must_be_that_mark() {
        let gateway = Gateway::builder().start().await.unwrap();
        let nothing_came = gateway.session("a").unwrap().verdict();
        let said = |expected| read(expected).unwrap().check(&nothing_came, true);
        assert_eq!(said(json!({})), Vec::<String>::new());
        assert_eq!(
            said(json!({"retry-after": "unseen", "grade": null})),
            Vec::<String>::new()
        );
        assert_eq!(
            said(json!({"retry-after": "kept"})),
            [
                "the verdict on retry-after: got \"unseen\" when expecting \"kept\": nothing that arrived says anything about it"
            ]
        );
        assert_eq!(said(json!({"grade": "A"})).len(), 1);
    }
}
