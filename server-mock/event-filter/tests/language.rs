//! What each piece of the language means, and what is said where a text is no filter.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use gatewright_event_filter::{Filter, MAX_BYTES, MAX_CHOICES, MAX_DEPTH, MAX_STEPS, MAX_TESTS};
use serde_json::{Value, json};

fn event() -> Value {
    json!({
        "id": "evt_1",
        "type": "invoice.paid",
        "data": {
            "amount": 250,
            "price": 9.5,
            "tags": ["new", "vip"],
            "note": null,
            "paid": true,
            "my name": "x",
            "a-b": 1,
            "größe": 7,
            "customer": {"name": "Ada", "email": "ada@example.com"},
            "lines": [{"sku": "A", "count": 1}, {"sku": "B", "count": 12}]
        }
    })
}

fn matches(filter: &str) -> bool {
    let filter = Filter::parse(filter).unwrap_or_else(|error| panic!("{filter}\n{error}"));
    filter.matches(&event()).unwrap()
}

#[test]
fn filters_say_what_is_wanted() {
    for (filter, wanted) in [
        (r#"$.data.amount >= 100 && $.data.tags[*] == "vip""#, true),
        (r#"$.data.amount >= 300 && $.data.tags[*] == "vip""#, false),
        ("$.data.amount == 250", true),
        ("$.data.amount == 250.0", true),
        ("$.data.amount != 250", false),
        ("$.data.amount < 251 && $.data.amount <= 250", true),
        ("$.data.amount > 250", false),
        ("$.data.price > 9.25", true),
        ("-1e3 < $.data.amount", true),
        ("$.data.amount == \"250\"", false),
        ("$.data.amount != \"250\"", true),
        ("$.data.amount < \"9\"", false),
        ("$.type == 'invoice.paid'", true),
        ("$.type > 'invoice' && $.type < 'invoicf'", true),
        ("$.data.note == null", true),
        ("$.data.absent == null", false),
        ("$.data.absent != null", true),
        ("$.data.absent < 1", false),
        ("$.data.paid == true", true),
        ("$.data.paid > false", false),
        ("exists $.data.note", true),
        ("exists $.data.absent", false),
        ("!exists $.data.absent", true),
        ("exists $", true),
        ("$.data.tags[0] == 'new'", true),
        ("$.data.tags[-1] == 'vip'", true),
        ("$.data.tags[-2] == 'new'", true),
        ("exists $.data.tags[2] || exists $.data.tags[-3]", false),
        ("exists $.data.tags.new", false),
        ("exists $.data[0]", false),
        ("$.data.lines[*].sku == 'B'", true),
        ("$.data.lines[*].count > 12", false),
        // One place for one test and another for the other.
        (
            "$.data.lines[*].sku == 'A' && $.data.lines[*].count > 10",
            true,
        ),
        ("$.data.customer.* == 'Ada'", true),
        ("$.*.customer[*] == 'Ada'", true),
        // Nothing is equal to it.
        ("$.data.tags[*] != 'vip'", false),
        ("$.data.tags[*] != 'old'", true),
        ("$.data[\"my name\"] == 'x'", true),
        ("$['data']['a-b'] == 1 && $.data.a-b == 1", true),
        ("$.data.größe == 7", true),
        ("$.data.customer.email matches '*@example.com'", true),
        ("$.data.customer.email matches '*@example.org'", false),
        ("$.type matches 'invoice.????'", true),
        ("$.data.tags[*] matches 'v*'", true),
        ("$.data.amount matches '*'", false),
        ("$.type in ['invoice.paid', 'invoice.sent']", true),
        ("$.data.amount in [1, 2.5, null, true, 'x', 250]", true),
        ("$.data.tags[*] in ['old', 'vip']", true),
        ("'vip' in $.data.tags", true),
        ("'gold' in $.data.tags", false),
        ("'Ada' in $.data.customer", false),
        ("$.data.lines[0].count < $.data.lines[1].count", true),
        ("$.data.tags[*] == $.data.tags[1]", true),
        ("$.data.customer == $.data.customer", true),
        ("$.data.lines == $.data.tags", false),
        ("1 == 1 && 'a' != 'b'", true),
        ("'\\u00e9\\ud83d\\ude00\\n' == \"é😀\\n\"", true),
        // And binds more strongly than or; not binds to one test.
        ("1 == 1 || 1 == 1 && 1 == 2", true),
        ("(1 == 1 || 1 == 1) && 1 == 2", false),
        ("!1 == 2 && 1 == 1", true),
        ("!(1 == 1 && 1 == 1)", false),
        ("!!1 == 1", true),
        (" \t\n$.data.amount\r==250 ", true),
        ("$.data.amount==250&&!($.data.paid==false)", true),
    ] {
        assert_eq!(matches(filter), wanted, "{filter}");
    }
}

#[test]
fn errors_point_at_the_character_and_say_what_was_expected() {
    for (filter, error) in [
        (
            "",
            "character 1: expected a path such as $.data.amount, a value, exists, ! or (, found the end of the filter",
        ),
        (
            "$.data.amount",
            "character 14: expected ==, !=, <, <=, >, >=, in or matches, found the end of the filter",
        ),
        (
            "$.data.amount = 3",
            "character 15: expected ==, !=, <, <=, >, >=, in or matches, found `=`",
        ),
        (
            "$.data.amount >=",
            "character 17: expected a path or a value after >=, found the end of the filter",
        ),
        (
            "$.data.amount >= hundred",
            "character 18: expected a path or a value after >=, found `hundred`",
        ),
        (
            "$.data.amount >= 1 & $.a == 1",
            "character 20: expected &&, || or the end of the filter, found `&`",
        ),
        (
            "$.data.amount >= 1 and $.a == 1",
            "character 20: expected &&, || or the end of the filter, found `and`",
        ),
        (
            "($.a == 1",
            "character 10: expected &&, || or ), found the end of the filter",
        ),
        (
            "$.a == 1)",
            "character 9: expected &&, || or the end of the filter, found `)`",
        ),
        (
            "$.a == 'x",
            "character 10: expected a closing ' for the text from character 8, found the end of the filter",
        ),
        (
            r"$.a == '\x'",
            r#"character 10: expected an escape of JSON: \" \\ \/ \b \f \n \r \t \u0000, or \', found `x`"#,
        ),
        (
            r"$.a == '\ud800x'",
            r#"character 10: expected an escape of JSON: \" \\ \/ \b \f \n \r \t \u0000, or \', found `ud800x`"#,
        ),
        (
            "$.a == 01",
            "character 8: expected a number as in JSON, found `01`",
        ),
        (
            "$.a == 1e999",
            "character 8: expected a number as in JSON, found `1e999`",
        ),
        (
            "$..a == 1",
            "character 3: expected a name or * after the dot; other names go in brackets: [\"my name\"], found `.`",
        ),
        (
            "$.a[x] == 1",
            "character 5: expected *, a number or a name in quotes, found `x`",
        ),
        ("$.a[1 == 1", "character 7: expected ], found `=`"),
        (
            "$.a[1-] == 1",
            "character 5: expected the number of an element, found `1`",
        ),
        (
            "$.a[*] == $.b[*]",
            "character 11: expected a path without *, because the left side has one, found `$`",
        ),
        (
            "$.a[*] in $.b",
            "character 11: expected a path without *, because the left side has one, found `$`",
        ),
        (
            "1 in $.b[*]",
            "character 6: expected a path without * to an array, found `$`",
        ),
        ("$.a in []", "character 9: expected a value, found `]`"),
        ("$.a in [1 2]", "character 11: expected , or ], found `2`"),
        (
            "$.a in 3",
            "character 8: expected a list such as [\"a\", \"b\"] or a path to an array after in, found `3`",
        ),
        (
            "$.a matches 3",
            "character 13: expected a pattern in quotes, such as \"*@example.com\", found `3`",
        ),
        (
            "exists 'x'",
            "character 8: expected a path after exists, such as $.data.email, found `'`",
        ),
        (
            "existsx $.a",
            "character 1: expected a path such as $.data.amount, a value, exists, ! or (, found `existsx`",
        ),
        // Characters are counted, not bytes.
        (
            "$.größe == 'é' x",
            "character 16: expected &&, || or the end of the filter, found `x`",
        ),
    ] {
        let refused = Filter::parse(filter).unwrap_err();
        assert_eq!(refused.to_string(), error, "{filter}");
    }
    let text = "$.a ~ 1";
    let pointing = Filter::parse(text).unwrap_err().pointing(text);
    assert_eq!(pointing, "$.a ~ 1\n    ^");
}

#[test]
fn filters_are_bounded() {
    let fits = |filter: &str| Filter::parse(filter).is_ok();
    let of_length = |length: usize| format!("$.a == '{}'", "x".repeat(length - 9));
    assert!(fits(&of_length(MAX_BYTES)) && !fits(&of_length(MAX_BYTES + 1)));
    let nested = |depth| format!("{}1 == 1{}", "(".repeat(depth), ")".repeat(depth));
    assert!(fits(&nested(MAX_DEPTH)) && !fits(&nested(MAX_DEPTH + 1)));
    assert!(!fits(&format!("{}1 == 1", "!".repeat(MAX_DEPTH + 1))));
    let many = |tests| vec!["1==1"; tests].join("||");
    assert!(fits(&many(MAX_TESTS)) && !fits(&many(MAX_TESTS + 1)));
    let long = |steps| format!("exists ${}", ".a".repeat(steps));
    assert!(fits(&long(MAX_STEPS)) && !fits(&long(MAX_STEPS + 1)));
    let choice = |choices| format!("1 in [{}]", vec!["1"; choices].join(","));
    assert!(fits(&choice(MAX_CHOICES)) && !fits(&choice(MAX_CHOICES + 1)));
    let error = Filter::parse(&"é".repeat(MAX_BYTES)).unwrap_err();
    assert_eq!(
        (error.at, error.expected.as_str()),
        (MAX_BYTES / 2 + 1, "a filter of at most 1024 bytes")
    );
}

#[test]
fn work_is_bounded_and_what_takes_too_much_says_so() {
    let event = json!({ "items": vec!["a".repeat(1_000); 200] });
    let slow = Filter::parse(&format!("$.items[*] matches '*{}b'", "a".repeat(100))).unwrap();
    assert!(slow.matches(&event).is_err());
    let quick = Filter::parse("$.items[*] matches 'b*'").unwrap();
    assert_eq!(quick.matches(&event), Ok(false));
}
