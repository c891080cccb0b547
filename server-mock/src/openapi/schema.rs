//! Short names for the schemas (JSON Schema 2020-12, as OpenAPI 3.1 has it) that operations describe their bodies with.

use std::ops::RangeInclusive;

use serde_json::Value;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ObjectBuilder, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Schema};

/// A schema or the name of one.
pub(crate) type AnySchema = RefOr<Schema>;

/// The schema of this name among the document's components.
pub(crate) fn refer(name: &str) -> AnySchema {
    Ref::from_schema_name(name).into()
}

/// Text of any length.
pub(crate) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Text of so many characters.
pub(crate) fn text_of(least: usize, most: usize) -> ObjectBuilder {
    text().min_length(Some(least)).max_length(Some(most))
}

/// Text in a format: `date-time`, `email`, `uri`.
pub(crate) fn format(name: &str) -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(name.into())))
}

/// Text that a regular expression (ECMA-262) finds.
pub(crate) fn pattern(expression: &str) -> ObjectBuilder {
    text().pattern(Some(expression))
}

/// One of these words.
pub(crate) fn word(words: &[&str]) -> ObjectBuilder {
    text().enum_values(Some(words.iter().copied()))
}

/// A whole number within bounds, both included.
pub(crate) fn integer(least: i64, most: i64) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(least))
        .maximum(Some(most))
}

/// A whole number that [`crate::parameter`] reads within these bounds.
pub(crate) fn whole(within: &RangeInclusive<u64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(*within.start()))
        .maximum(Some(*within.end()))
}

/// A whole number that is not negative.
pub(crate) fn count() -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0_i64))
}

/// `true` or `false`.
pub(crate) fn boolean() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// Anything.
pub(crate) fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

/// What the schema describes, or `null`.
pub(crate) fn or_null(schema: impl Into<AnySchema>) -> AnySchema {
    let null = ObjectBuilder::new().schema_type(Type::Null);
    any_of([schema.into(), null.into()])
}

/// What at least one of these describes.
pub(crate) fn any_of(schemas: impl IntoIterator<Item = AnySchema>) -> AnySchema {
    let mut any = AnyOfBuilder::new();
    for schema in schemas {
        any = any.item(schema);
    }
    RefOr::T(any.build().into())
}

/// A list.
pub(crate) fn list(of: impl Into<AnySchema>) -> ArrayBuilder {
    ArrayBuilder::new().items(of.into())
}

/// An object with values of one kind.
pub(crate) fn map(of: impl Into<AnySchema>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::RefOr(of.into())))
}

/// An object; a name that ends in `?` may be left out, the others are always there.
pub(crate) fn object<const N: usize>(members: [(&str, AnySchema); N]) -> ObjectBuilder {
    members.into_iter().fold(
        ObjectBuilder::new().schema_type(Type::Object),
        |object, (name, schema)| match name.strip_suffix('?') {
            Some(name) => object.property(name, schema),
            None => object.property(name, schema).required(name),
        },
    )
}

/// A schema with a description.
pub(crate) fn described(schema: ObjectBuilder, text: &str) -> AnySchema {
    schema.description(Some(text)).into()
}

/// An example, where there is one.
pub(crate) fn example(value: Value) -> Option<Value> {
    (!value.is_null()).then_some(value)
}
